// inked copies an option and replaces the inks that it names by colours. Functions stay what they are.
function inked(node, inks) {
  if (typeof node === "string") return node.charAt(0) === "$" && inks[node] || node;
  if (Array.isArray(node)) return node.map(function (child) { return inked(child, inks); });
  if (!node || typeof node !== "object") return node;
  var copy = {};
  for (var name in node) copy[name] = inked(node[name], inks);
  return copy;
}
