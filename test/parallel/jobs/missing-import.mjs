import "./not-there.mjs";
export default 1;
