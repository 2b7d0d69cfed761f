// steer sends what the reader does with the controls of an address to the cell that waits for it: the name of a button, or the name
// of a setting and its value.
function steer(address) {
  function tell(box, message) {
    if (window.gonb_comm) window.gonb_comm.send(address, message);
    else box.querySelector("[data-said]").textContent = "no cell listens: run it again";
  }
  document.querySelectorAll('.offshoot-controls[data-address="' + address + '"]:not([data-live])').forEach(function (box) {
    box.setAttribute("data-live", "");
    box.addEventListener("click", function (e) { if (e.target.tagName === "BUTTON") tell(box, e.target.name); });
    box.addEventListener("input", function (e) { if (e.target.nextElementSibling) e.target.nextElementSibling.textContent = e.target.value; });
    box.addEventListener("change", function (e) { tell(box, e.target.name + "=" + e.target.value); });
  });
}
