// liven replaces the static picture of each figure called id by the interactive chart, where ECharts can be had from the
// page's own server; otherwise the picture stays. It is written for JupyterLab, where outputs come and go as the reader
// scrolls, cells change their width, and the theme can switch from light to dark.
function liven(id, option, height, maxWidth) {
  // echarts is loaded once per page, whatever the number of figures.
  function load() {
    if (window.echarts) return Promise.resolve(window.echarts);
    if (!window.__offshootECharts) window.__offshootECharts = new Promise(fetchECharts);
    return window.__offshootECharts;
  }
  function fetchECharts(resolve, reject) {
    var config = document.getElementById("jupyter-config-data"); // JupyterLab and Notebook 7
    if (!config) return reject(new Error("not a page of the lab"));
    var base = JSON.parse(config.textContent).baseUrl || "/";
    var url = new URL(base.replace(/\/*$/, "/") + "static/echarts.min.js", window.location.href);
    if (url.origin !== window.location.origin) return reject(new Error("not the page's own server"));
    if (window.define && window.define.amd && window.require) { // a page with AMD modules: ECharts would register as one
      return window.require([url.href], resolve, reject);
    }
    var script = document.createElement("script");
    script.src = url.href;
    script.onload = function () { window.echarts ? resolve(window.echarts) : reject(new Error("no ECharts at " + url.href)); };
    script.onerror = reject;
    document.head.appendChild(script);
  }

  // inks are the colours of the reader's theme.
  function inksOf(element) {
    var style = window.getComputedStyle(element);
    function ink(property, otherwise) { return style.getPropertyValue(property).trim() || otherwise; }
    return {
      $text: ink("--jp-ui-font-color1", "#1a1a1a"), $muted: ink("--jp-ui-font-color2", "#555555"),
      $faint: ink("--jp-border-color2", "#dddddd"), $paper: ink("--jp-layout-color0", "#ffffff")
    };
  }

  function start(echarts, host) {
    var picture = host.firstElementChild; // or the words that stand in for it
    var box = document.createElement("div");
    var chart = null, width = 0;
    box.style.cssText = "width:100%;max-width:" + maxWidth + "px;height:" + height + "px";
    host.appendChild(box);
    picture.style.display = "none";

    function styled() {
      var copy = inked(option, inksOf(host));
      var tooltip = copy.tooltip || {}, x = [].concat(copy.xAxis)[0] || {};
      if (tooltip.trigger === "axis" && typeof tooltip.formatter === "function" && x.type === "value") {
        tooltip.formatter = ofAllLines(tooltip.formatter, copy.series);
      }
      copy.textStyle.fontFamily = window.getComputedStyle(host).getPropertyValue("--jp-ui-font-family").trim() || "sans-serif";
      return copy;
    }
    // ofAllLines completes what a tooltip tells: ECharts leaves out the lines whose points others are nearer to the pointer than, but
    // long lines are thinned, each in its own way.
    function ofAllLines(formatter, series) {
      return function (points) {
        if (!points.length) return formatter(points);
        var legend = [].concat(chart.getOption().legend)[0] || {}, x = points[0].value[0];
        return formatter(series.map(function (line, i) {
          var told = points.filter(function (point) { return point.seriesIndex === i; })[0];
          var hidden = legend.selected && legend.selected[line.name] === false;
          var value = told || hidden || line.type !== "line" ? null : nearest(line.data || [], x);
          return told || value && {seriesIndex: i, seriesId: line.id, seriesName: line.name, value: value, axisValue: x,
            marker: echarts.format.getTooltipMarker((line.itemStyle || {}).color)};
        }).filter(Boolean));
      };
    }
    // nearest is the point of a line, which is sorted, that is nearest to x; none where the line does not reach.
    function nearest(data, x) {
      var low = 0, high = data.length - 1;
      if (high < 0 || !(x >= data[0][0] && x <= data[high][0])) return null;
      while (high - low > 1) {
        var middle = (low + high) >> 1;
        if (data[middle][0] < x) low = middle; else high = middle;
      }
      return x - data[low][0] < data[high][0] - x ? data[low] : data[high];
    }
    // wrap breaks a caption that is longer than the cell is wide: figures leave room for a second line. While the page changes its
    // theme, nothing in it has a width.
    function wrap() {
      width = box.clientWidth || width;
      chart.setOption({title: {subtextStyle: {width: width - 16}}});
    }
    function paint() {
      if (!chart) return;
      chart.setOption(styled(), true);
      wrap();
    }
    // What the reader has zoomed into or switched off stays when points of running work arrive.
    host.offshootMove = function (moved) {
      option = moved;
      if (!chart) return;
      chart.setOption(styled(), {replaceMerge: ["series"]});
      wrap();
    };
    var theme = new MutationObserver(paint);
    function open() {
      chart = echarts.init(box);
      paint();
      chart.on("click", function (e) { host.dispatchEvent(new CustomEvent("offshoot-click", {bubbles: true, detail: e.value})); });
      theme.observe(document.body, {attributes: true, attributeFilter: ["data-jp-theme-name", "data-jp-theme-light"]});
    }
    function close() {
      theme.disconnect();
      if (chart) chart.dispose();
      chart = null;
    }
    // A width of 0 means that the output was taken out of the page, perhaps only until the reader scrolls back.
    function fit() {
      if (!box.clientWidth) close();
      else if (chart) { chart.resize(); wrap(); }
      else open();
    }
    try {
      fit();
      new ResizeObserver(fit).observe(box);
    } catch (error) {
      close();
      box.remove();
      picture.style.display = "";
    }
  }

  load().then(function (echarts) {
    document.querySelectorAll('.offshoot-figure[data-figure="' + id + '"]:not([data-live])').forEach(function (host) {
      host.setAttribute("data-live", "");
      start(echarts, host);
    });
  }, function () {});
}
