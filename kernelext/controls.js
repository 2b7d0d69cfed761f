// steer sends what the reader does with the controls of an address to the cell that waits for it: the name of a button, or the name
// of a setting and its value.
function steer(address) {
  document.querySelectorAll('.offshoot-controls[data-address="' + address + '"]:not([data-live])').forEach(function (box) {
    box.setAttribute("data-live", "");
    var cell = cellAt(address);
    function tell(text) {
      if (!cell(text)) box.querySelector("[data-said]").textContent = "not connected any more: run the cell again";
    }
    box.addEventListener("click", function (e) { if (e.target.tagName === "BUTTON") tell(e.target.name); });
    box.addEventListener("input", function (e) { if (e.target.nextElementSibling) e.target.nextElementSibling.textContent = e.target.value; });
    box.addEventListener("change", function (e) { tell(e.target.name + "=" + e.target.value); });
  });
}
