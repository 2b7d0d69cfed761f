// steer sends what the reader does with the controls of an address to the cell that waits for it: the name of a button, or the name
// of a setting and its value. Controls are drawn anew when a setting has changed; the one in use keeps the reader's focus.
function steer(address) {
  document.querySelectorAll('.offshoot-controls[data-address="' + address + '"]:not([data-live])').forEach(function (box) {
    box.setAttribute("data-live", "");
    var cell = cellAt(address);
    function tell(text) {
      if (!cell(text)) box.querySelector("[data-said]").textContent = "not connected any more: run the cell again";
    }
    box.addEventListener("click", function (e) { if (e.target.tagName === "BUTTON") tell(e.target.name); });
    box.addEventListener("input", function (e) { if (e.target.nextElementSibling) e.target.nextElementSibling.textContent = e.target.value; });
    box.addEventListener("keydown", function (e) { if (e.key === "Enter" && e.target.type === "number") e.target.blur(); }); // which is a change
    box.addEventListener("change", function (e) {
      window.offshootInUse = e.target.type === "range" && {address: address, name: e.target.name};
      tell(e.target.name + "=" + e.target.value);
    });
    var inUse = window.offshootInUse;
    if (inUse && inUse.address === address) box.querySelector("input[name=" + inUse.name + "]").focus({preventScroll: true});
  });
}
