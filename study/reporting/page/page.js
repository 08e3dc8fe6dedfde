"use strict";
// Without this script all rows are shown in the order of the file and every list of runs is open.
document.documentElement.classList.add("js");

function compare(a, b) {
  if (a === b) return 0;
  if (a === "") return 1; // unknown values come last in both directions
  if (b === "") return -1;
  const x = Number(a), y = Number(b);
  return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
}

function sort(table, column, descending) {
  const key = (body) => body.rows[0].cells[column].dataset.key;
  const bodies = [...table.tBodies];
  bodies.sort((a, b) => {
    const order = compare(key(a), key(b));
    return descending && key(a) !== "" && key(b) !== "" ? -order : order;
  });
  table.append(...bodies);
}

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.querySelectorAll("thead .columns th")];
  heads.forEach((head, column) => {
    head.firstElementChild.addEventListener("click", () => {
      // Names begin with A, numbers with the largest.
      const now = head.getAttribute("aria-sort");
      const first = column === 0 ? "ascending" : "descending";
      const next = now === null ? first : now === "ascending" ? "descending" : "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", next);
      sort(table, column, next === "descending");
    });
  });
}

for (const button of document.querySelectorAll("button.runs")) {
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    let row = button.closest("tr").nextElementSibling;
    for (; row !== null && row.classList.contains("source"); row = row.nextElementSibling) {
      row.classList.toggle("open", open);
    }
  });
}

// What is folded is printed too.
const folded = [];
window.addEventListener("beforeprint", () => {
  for (const each of document.querySelectorAll("details:not([open])")) {
    folded.push(each);
    each.open = true;
  }
});
window.addEventListener("afterprint", () => {
  for (const each of folded.splice(0)) each.open = false;
});
