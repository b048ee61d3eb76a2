export default { model: () => 5, loss: () => 2 };
