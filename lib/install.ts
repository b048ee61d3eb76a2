/** Modules that are imported for their side effect: each adds methods to Tensor, or what a higher folder does for a lower one. */
import "./engine/leaf.js";
import "./ops/methods.js";
import "./autograd/install.js";
import "./parallel/install.js";
import "./report/install.js";
