await Promise.resolve();
export default { model: () => 1, loss: () => 2 };
