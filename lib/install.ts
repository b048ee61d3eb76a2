/** The modules that are imported for their effect: each adds its methods to Tensor. */
import "./engine/leaf.js";
import "./ops/methods.js";
import "./autograd/install.js";
import "./parallel/install.js";
