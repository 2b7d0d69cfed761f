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
// negative number opens a row, -1 the first. Another is twice the units that a run leaves out after the last one, for a run of one
// unit; of a longer one it is one more, and how many units it has comes next. Then comes its value.
function unpacked(packed, told) {
  var data = [], row = 0, at = 0;
  for (var i = 0; i < packed.length; i++) {
    if (packed[i] < 0) {
      row = -1 - packed[i];
      at = 0;
      continue;
    }
    var from = at + (packed[i] >> 1);
    at = from + (packed[i] & 1 ? packed[++i] : 1);
    data.push(told ? [row, from, at, packed[++i]] : [row, from, at]);
  }
  return data;
}
