import { nn } from "nabla";
export default { model: () => new nn.ReLU(), loss: () => 2 };
