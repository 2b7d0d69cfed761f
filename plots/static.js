// drawSVG draws an option without a browser.
function drawSVG(option, inks, width, height) {
  if (option.timeline) { // what is drawn is the last frame but for its words
    option.timeline.controlStyle = {show: false};
    option.options = option.options.map(function (frame) { return {title: frame.title}; });
  }
  option = inked(option, inks);
  option.backgroundColor = inks.$paper;
  option.toolbox = option.brush = undefined; // buttons
  (option.series || []).forEach(function (series) {
    if (!series.alike || !series.data.length) return;
    series.renderItem = atOnce(series.renderItem, series.data);
    series.data = series.data.slice(0, 1);
  });
  var chart = echarts.init(null, null, {renderer: "svg", ssr: true, width: width, height: height});
  try {
    chart.setOption(option);
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

// atOnce draws all data of a series, boxes of one height and colour, as one shape: an element for each would take half a
// millisecond, and there may be ten thousand. No pointer has to find them here.
function atOnce(draw, data) {
  return function (params, api) {
    var origin = api.coord([0, 0]), unit = api.coord([1, 1]), size = api.size([0, 1]), at, style;
    var boxAt = { // its axes are linear
      coord: function (place) {
        return [origin[0] + (unit[0] - origin[0]) * place[0], origin[1] + (unit[1] - origin[1]) * place[1]];
      },
      size: function () { return size; },
      value: function (of) { return data[at][of]; },
      visual: api.visual
    };
    var boxes = [];
    for (at = 0; at < data.length; at++) {
      var box = draw(params, boxAt);
      boxes.push(box.shape);
      style = box.style;
    }
    if (style.opacity === 0) return;
    return {type: "bars", shape: {boxes: boxes}, style: {fill: "none", stroke: style.fill, lineWidth: boxes[0].height, opacity: style.opacity}};
  };
}

// Words are as wide as in the fonts of PNG files (measure.go).
echarts.setPlatformAPI({measureText: function (words, font) { return {width: textWidth(words || "", font || "12px sans-serif")}; }});

echarts.graphic.registerShape("bars", echarts.graphic.extendShape({
  shape: {boxes: []},
  buildPath: function (path, shape) {
    shape.boxes.forEach(function (box) {
      var y = box.y + box.height / 2;
      path.moveTo(box.x, y);
      path.lineTo(box.x + box.width, y);
    });
  }
}));
