// A model whose layer gives an object, and whose parameters lie in a list of plain objects.
import { defineJob, nn } from "nabla";

class Reader extends nn.Module {
  net = new nn.LSTM(2, 5, { batchFirst: true });
  head = new nn.Linear(5, 3);
  forward(x) {
    return this.head.forward(this.net.forward(x.reshape([x.shape[0], 4, 2])).hn.at(0));
  }
}

export default defineJob({
  model: () => new Reader(),
  loss: (model, [x, y]) => nn.functional.crossEntropy(model.forward(x), y),
});
