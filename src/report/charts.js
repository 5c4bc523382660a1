'use strict';
// Chart.js set up for this page: palette from the style sheet, whiskers, labels beside points, legends with the
// keyboard.

const MARKS = {
  baseline: 'rectRot',
  accuracy: 'circle',
  latency: 'triangle',
  both: 'rect'
};
const ROLE_NAMES = {
  baseline: 'baseline',
  accuracy: 'accuracy-aware',
  latency: 'latency-aware',
  both: 'found by both'
};
const drawn = [];  // {canvas, build, chart, hidden}, to draw anew when the colours change

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();

function withAlpha(hex, alpha) {
  const byte = Math.round(255 * alpha).toString(16).padStart(2, '0');
  return /^#[0-9a-f]{6}$/i.test(hex) ? hex + byte : hex;
}

// 95 % intervals: raw points may carry xLow, xHigh, yLow, yHigh.
const whiskers = {
  id: 'whiskers',
  beforeDatasetsDraw(chart) {
    const {ctx, chartArea: area, scales: {x, y}} = chart;
    ctx.save();
    ctx.beginPath();
    ctx.rect(area.left, area.top, area.width, area.height);
    ctx.clip();
    ctx.lineWidth = 1.25;
    chart.data.datasets.forEach((set, index) => {
      if (!chart.isDatasetVisible(index)) return;
      ctx.strokeStyle = set.whiskerColor || set.borderColor;
      for (const point of set.data) drawWhiskers(ctx, x, y, point);
    });
    ctx.restore();
  },
};

function drawWhiskers(ctx, x, y, point) {
  const [px, py, cap] = [x.getPixelForValue(point.x), y.getPixelForValue(point.y), 3];
  ctx.beginPath();
  if (isNumber(point.xLow) && isNumber(point.xHigh)) {
    const [a, b] = [x.getPixelForValue(point.xLow), x.getPixelForValue(point.xHigh)];
    ctx.moveTo(a, py);
    ctx.lineTo(b, py);
    for (const end of [a, b]) {
      ctx.moveTo(end, py - cap);
      ctx.lineTo(end, py + cap);
    }
  }
  if (isNumber(point.yLow) && isNumber(point.yHigh)) {
    const [a, b] = [y.getPixelForValue(point.yLow), y.getPixelForValue(point.yHigh)];
    ctx.moveTo(px, a);
    ctx.lineTo(px, b);
    for (const end of [a, b]) {
      ctx.moveTo(px - cap, end);
      ctx.lineTo(px + cap, end);
    }
  }
  ctx.stroke();
}

// Names beside points that carry `label`, most important first; one that would cover another is left out.
const pointLabels = {
  id: 'pointLabels',
  afterDatasetsDraw(chart) {
    const {ctx, chartArea: area} = chart;
    const wanted = [];
    chart.data.datasets.forEach((set, index) => {
      if (!chart.isDatasetVisible(index)) return;
      chart.getDatasetMeta(index).data.forEach((mark, i) => {
        const point = set.data[i];
        if (point.label)
          wanted.push({text: point.label, weight: point.weight || 0, x: mark.x, y: mark.y, colour: set.borderColor});
      });
    });
    const taken = wanted.map((item) => ({left: item.x - 6, right: item.x + 6, top: item.y - 6, bottom: item.y + 6}));
    ctx.save();
    ctx.textBaseline = 'middle';
    ctx.lineJoin = 'round';
    for (const item of wanted.sort((a, b) => b.weight - a.weight)) placeLabel(ctx, area, taken, item);
    ctx.restore();
  },
};

function placeLabel(ctx, area, taken, item) {
  ctx.font = (item.weight ? '600 ' : '') + '12px ' + Chart.defaults.font.family;
  const width = ctx.measureText(item.text).width;
  for (const [dx, dy] of [[10, -10], [10, 10], [-10 - width, -10], [-10 - width, 10]]) {
    const box = {left: item.x + dx, right: item.x + dx + width, top: item.y + dy - 7, bottom: item.y + dy + 7};
    const inside = box.left > area.left && box.right < area.right && box.top > area.top && box.bottom < area.bottom;
    const free =
        taken.every((t) => box.right < t.left || box.left > t.right || box.bottom < t.top || box.top > t.bottom);
    if (!inside || !free) continue;
    taken.push(box);
    ctx.lineWidth = 4;
    ctx.strokeStyle = colour('paper');
    ctx.strokeText(item.text, box.left, item.y + dy);
    ctx.fillStyle = item.colour;
    ctx.fillText(item.text, box.left, item.y + dy);
    return;
  }
}

// A dashed vertical line, with a handle where it can be dragged, and what is slower shaded: options.plugins.budget =
// {value, text, handle}.
const budgetLine = {
  id: 'budget',
  beforeDatasetsDraw(chart, _, options) {
    if (!isNumber(options.value)) return;
    const {ctx, chartArea: area, scales: {x}} = chart;
    const at = x.getPixelForValue(options.value);
    if (at < area.left || at > area.right) return;
    ctx.save();
    ctx.fillStyle = withAlpha(colour('muted'), 0.07);
    ctx.fillRect(at, area.top, area.right - at, area.bottom - area.top);
    ctx.strokeStyle = ctx.fillStyle = colour(options.handle ? 'link' : 'muted');
    ctx.setLineDash([5, 4]);
    ctx.beginPath();
    ctx.moveTo(at, area.top);
    ctx.lineTo(at, area.bottom);
    ctx.stroke();
    if (options.handle) drawHandle(ctx, at, area.top + 14);
    ctx.font = '12px ' + Chart.defaults.font.family;
    const right = at + 8 + ctx.measureText(options.text).width < area.right;
    ctx.textAlign = right ? 'left' : 'right';
    ctx.fillText(options.text, at + (right ? 6 : -6), area.bottom - 10);
    ctx.restore();
  },
};

const budgetText = (ms) => 'budget ' + milliseconds(1e6 * ms) + ' ms';

// The line of a chart follows the reader's budget; the configuration is changed in place, so that no chart is made
// while dragging.
function followBudget(figure, selection) {
  selection.listen(({budget}, change) => {
    if (!('budget' in change) || !figure.chart) return;
    Object.assign(figure.chart.options.plugins.budget, {value: budget, text: budgetText(budget)});
    figure.chart.update('none');
  });
}

function drawHandle(ctx, x, y) {
  ctx.setLineDash([]);
  ctx.beginPath();
  ctx.arc(x, y, 9, 0, 2 * Math.PI);
  ctx.fill();
  ctx.strokeStyle = colour('paper');
  ctx.lineWidth = 1.75;
  ctx.beginPath();
  for (const side of [-1, 1]) {
    ctx.moveTo(x + side * 2.5, y - 3.5);
    ctx.lineTo(x + side * 6, y);
    ctx.lineTo(x + side * 2.5, y + 3.5);
  }
  ctx.stroke();
  ctx.fillStyle = colour('link');
}

// Circles around points: options.plugins.rings.of(point) is the text beside one, or nothing.
const rings = {
  id: 'rings',
  afterDatasetsDraw(chart, _, options) {
    const {ctx} = chart;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour('ink');
    ctx.lineWidth = 1.5;
    ctx.font = '600 11px ' + Chart.defaults.font.family;
    ctx.textAlign = 'center';
    chart.data.datasets.forEach((set, index) => {
      if (!chart.isDatasetVisible(index)) return;
      chart.getDatasetMeta(index).data.forEach((mark, i) => {
        const text = options.of(set.data[i]);
        if (!text) return;
        ctx.beginPath();
        ctx.arc(mark.x, mark.y, 11, 0, 2 * Math.PI);
        ctx.stroke();
        ctx.fillText(text, mark.x, mark.y + 24);
      });
    });
    ctx.restore();
  },
};

// The next larger 1, 2 or 5 times a power of ten.
function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= least);
}

// Limits that hold the whiskers of what is visible, and `extra` values.
function limits(axis, extra = []) {
  return (scale) => {
    const values = extra.filter(isNumber);
    scale.chart.data.datasets.forEach((set, index) => {
      if (set.silent || !scale.chart.isDatasetVisible(index)) return;
      for (const point of set.data) values.push(point[axis], point[axis + 'Low'], point[axis + 'High']);
    });
    const known = values.filter(isNumber);
    if (known.length === 0) return;
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const step = roundStep((high - low) / 8 || Math.abs(high) / 8 || 1);
    scale.min = step * Math.floor(low / step - 0.1);
    scale.max = step * Math.ceil(high / step + 0.1);
    if (low >= 0) scale.min = Math.max(0, scale.min);
  };
}

const axisOptions = (title, afterDataLimits) => ({
  type: 'linear',
  bounds: 'data',
  afterDataLimits,
  title: {display: true, text: title, color: colour('muted')},
  grid: {color: colour('line'), borderColor: colour('line'), tickColor: colour('line')},
  ticks: {color: colour('muted'), includeBounds: false, maxRotation: 0}
});

const tooltipOptions = (lines) => ({
  backgroundColor: colour('raised'),
  titleColor: colour('ink'),
  bodyColor: colour('ink'),
  borderColor: colour('line'),
  borderWidth: 1,
  padding: 10,
  displayColors: false,
  cornerRadius: 6,
  callbacks: {title: () => '', label: (item) => lines(item.raw, item.dataset)},
  filter: (item) => !item.dataset.silent
});

function marker(shape, name, hollow) {
  const paths = {
    circle: 'M8 3a5 5 0 1 0 .01 0z',
    triangle: 'M8 2.5l5.5 10h-11z',
    rect: 'M3.5 3.5h9v9h-9z',
    rectRot: 'M8 2l6 6-6 6-6-6z',
    line: 'M1 8h14',
    dashed: 'M1 8h4m2 0h4m2 0h2'
  };
  const open = hollow || shape === 'line' || shape === 'dashed';
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS(svg.namespaceURI, 'path');
  for (const [key, value] of Object.entries({width: 16, height: 16, viewBox: '0 0 16 16', 'aria-hidden': 'true'}))
    svg.setAttribute(key, value);
  for (const [key, value] of Object.entries(
           {d: paths[shape], fill: open ? 'none' : 'currentColor', stroke: 'currentColor', 'stroke-width': 1.75})) {
    path.setAttribute(key, value);
  }
  svg.append(path);
  svg.classList.add(name);
  return svg;
}

function makeChart(figure) {
  if (figure.chart) figure.chart.destroy();
  const config = figure.build();
  if (figure.onPick) {
    config.options.onClick = (_, marks, chart) => {
      const set = marks.length ? chart.data.datasets[marks[0].datasetIndex] : null;
      if (set && !set.silent && !figure.dragged) figure.onPick(set.data[marks[0].index]);
    };
  }
  figure.chart = new Chart(figure.canvas, config);
  figure.chart.data.datasets.forEach(
      (set, index) => figure.chart.setDatasetVisibility(index, !figure.hidden.has(set.group)));
  figure.chart.update();
}

// ---- Points with the keyboard

// Of scatter charts from left to right, of lines one after the other.
function visiblePoints(chart) {
  const found = [];
  chart.data.datasets.forEach((set, datasetIndex) => {
    if (set.silent || !chart.isDatasetVisible(datasetIndex)) return;
    chart.getDatasetMeta(datasetIndex)
        .data.forEach((mark, index) => found.push({datasetIndex, index, x: mark.x, y: mark.y}));
  });
  return chart.config.type === 'scatter' ? found.sort((a, b) => a.x - b.x || a.y - b.y) : found;
}

function showPoint(figure, at) {
  const {chart} = figure, points = visiblePoints(chart);
  if (!points.length) return;
  figure.at = Math.min(points.length - 1, Math.max(0, at));
  const point = points[figure.at];
  chart.setActiveElements([point]);
  chart.tooltip.setActiveElements([point], point);
  chart.update('none');
  figure.status.textContent = list(chart.tooltip.body).flatMap((body) => body.lines.flat()).join('; ');
}

function onChartKey(figure, event) {
  const steps =
      {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: 1e9};
  if (event.key in steps) {
    showPoint(figure, figure.at === null ? 0 : figure.at + steps[event.key]);
  } else if ((event.key === 'Enter' || event.key === ' ') && figure.onPick && figure.at !== null) {
    const point = visiblePoints(figure.chart)[figure.at];
    figure.onPick(figure.chart.data.datasets[point.datasetIndex].data[point.index]);
  } else if (event.key === 'Escape') {
    leaveChart(figure);
  } else {
    return;
  }
  event.preventDefault();
}

function leaveChart(figure) {
  figure.at = null;
  figure.status.textContent = '';
  figure.chart.setActiveElements([]);
  figure.chart.tooltip.setActiveElements([], {x: 0, y: 0});
  figure.chart.update('none');
}

// legend: [{group, text, shape, role, hollow}]; each switches the datasets of its group.
function legendOf(figure, legend) {
  return element('ul', {class: 'legend', 'aria-label': 'Legend; switches series on and off'}, legend.map((entry) => {
    const toggle = (event) => {
      const hide = !figure.hidden.has(entry.group);
      figure.hidden[hide ? 'add' : 'delete'](entry.group);
      event.currentTarget.setAttribute('aria-pressed', String(!hide));
      makeChart(figure);
    };
    return element(
        'li', {},
        element(
            'button', {type: 'button', 'aria-pressed': 'true', onclick: toggle},
            marker(entry.shape, entry.role, entry.hollow), entry.text));
  }));
}

// `build` returns a Chart.js configuration with the present colours; `data` makes a table for those who don't see the
// chart; `onPick(point)`: a point was pressed; `onMake(figure)` gets the figure, to draw it again with makeChart().
function chartFigure({label, caption, build, legend = [], data = null, size = '', onPick = null, onMake = null}) {
  const status = element('p', {class: 'status', 'aria-live': 'polite'});
  const keys = ' Arrow keys go from point to point' + (onPick ? ', Enter takes one' : '') + '.';
  const figure = {canvas: null, build, chart: null, hidden: new Set(), at: null, status, onPick, dragged: false};
  figure.canvas = element('canvas', {
    role: 'img',
    'aria-label': label + '.' + keys,
    tabindex: '0',
    onkeydown: (event) => onChartKey(figure, event),
    onblur: () => figure.at !== null && leaveChart(figure)
  });
  drawn.push(figure);
  watch.observe(figure.canvas);
  if (onMake) onMake(figure);
  return element(
      'figure', {}, legend.length ? legendOf(figure, legend) : null,
      element('div', {class: 'canvas ' + size}, figure.canvas), status, element('figcaption', {}, caption),
      data ? details('The figure as a table', data) : null);
}

function setUpCharts() {
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.animation = false;
  Chart.defaults.maintainAspectRatio = false;
  Chart.defaults.plugins.legend.display = false;
}

// Charts are made when they come near the screen.
const watch = new IntersectionObserver((entries) => {
  for (const {target, isIntersecting} of entries) {
    if (!isIntersecting) continue;
    watch.unobserve(target);
    const figure = drawn.find(({canvas}) => canvas === target);
    if (figure && !figure.chart) makeChart(figure);
  }
}, {rootMargin: '600px'});

// Figures that a section has replaced; `all`: also those that were never drawn, when none is being made.
function forgetReplaced(all = false) {
  for (const figure of drawn.filter(({chart, canvas}) => (chart || all) && !canvas.isConnected)) {
    watch.unobserve(figure.canvas);
    figure.chart?.destroy();
    drawn.splice(drawn.indexOf(figure), 1);
  }
}

const drawAgain = () => drawn.filter(({chart}) => chart).forEach(makeChart);

// Paper is white, whatever the screen's scheme, and has every chart on it.
function drawForPaper(paper) {
  document.documentElement.classList.toggle('paper', paper);
  (paper ? drawn : drawn.filter(({chart}) => chart)).forEach(makeChart);
}
window.addEventListener('beforeprint', () => drawForPaper(true));
window.addEventListener('afterprint', () => drawForPaper(false));
window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAgain);
