throw new RangeError("this module refuses to load");
