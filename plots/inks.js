// inked copies an option, replaces the inks that it names by colours, and unpacks runs. Functions stay what they are.
function inked(node, inks) {
  if (typeof node === "string") return node.charAt(0) === "$" && inks[node] || node;
  if (Array.isArray(node)) return node.map(function (child) { return inked(child, inks); });
  if (!node || typeof node !== "object") return node;
  if (node.$runs) return unpacked(node.$runs, node.told);
  var copy = {};
  for (var name in node) copy[name] = inked(node[name], inks);
  return copy;
}
// unpacked are runs of units as data: the row, the first unit, the one after the last, and the value if they are told one. A
// negative number opens a row, -1 the first; a run has the units that it leaves out after the last one, how many it has, its value.
function unpacked(packed, told) {
  var data = [], row = 0, at = 0;
  for (var i = 0; i < packed.length;) {
    if (packed[i] < 0) {
      row = -1 - packed[i++];
      at = 0;
      continue;
    }
    var run = [row, at + packed[i], at + packed[i] + packed[i + 1]];
    if (told) run.push(packed[i + 2]);
    data.push(run);
    at = run[2];
    i += told ? 3 : 2;
  }
  return data;
}
