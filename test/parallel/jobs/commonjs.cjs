const { defineJob, nn } = require("nabla");

module.exports = defineJob({
  model: () => new nn.Linear(8, 3),
  loss: (model, [x, y]) => nn.functional.crossEntropy(model.forward(x), y),
});
