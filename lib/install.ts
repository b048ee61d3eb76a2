/** Modules that are imported for their side effect: each adds methods to Tensor. */
import "./engine/leaf.js";
import "./ops/methods.js";
import "./autograd/install.js";
import "./parallel/install.js";
