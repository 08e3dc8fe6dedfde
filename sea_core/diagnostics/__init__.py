"""What separation does: is the split between generic and unique parts real? Arrays in, NamedTuples out."""
