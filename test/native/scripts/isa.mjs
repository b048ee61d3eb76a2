// Which kernels run, and that they do.
import { tensor } from "../../../dist/index.js";
import { addon } from "../../../dist/internal.js";

const sum = tensor([1, 2, 3, 4]).sum().item();
console.log(JSON.stringify({ isa: addon.isa(), isas: addon.isas(), sum }));
