// Which kernels run, that they do, and that numbers which leave the range on the way raise the processor's flags.
import { avgPool2d, tensor } from "../../../dist/index.js";
import { addon } from "../../../dist/internal.js";

const sum = tensor([1, 2, 3, 4]).sum().item();
const again = ["float32", "float64"].flatMap((dtype) => {
  const large = dtype === "float32" ? 2 ** 127 : 2 ** 1023;
  const row = [large, large, 1 / large, 1 / large];
  const many = tensor(row, { dtype }).reshape([4, 1]).expand([4, 64]).contiguous();
  const [product, products] = [tensor(row, { dtype }).prod(), many.prod(0).mean()];
  const mean = avgPool2d(many.narrow(0, 0, 2).reshape([1, 1, 2, 64]), [2, 64]).div(large);
  return [product, products, mean].map((x) => x.item());
});
console.log(JSON.stringify({ isa: addon.isa(), isas: addon.isas(), sum, again }));
