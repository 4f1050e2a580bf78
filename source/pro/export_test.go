package pro

func init() { leastMemory = 5000 } // so that small databases spill
