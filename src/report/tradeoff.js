'use strict';
// Accuracy against latency: a budget to drag, the network that it chooses, and two networks to compare.

const tradeoffPoint = (model, network, artifact) => ({
  x: artifact.latency.median_ns / 1e6,
  xLow: artifact.latency.low_ns / 1e6,
  xHigh: artifact.latency.high_ns / 1e6,
  y: 100 * artifact.test.score,
  yLow: 100 * artifact.test.low,
  yHigh: 100 * artifact.test.high,
  network,
  artifact,
  label: artifact.precision === model.precision ? network.label : '',
  weight: network.baseline || isWinner(model, network) ? 1 : 0
});

function tradeoffSets(model) {
  const sets = new Map();
  for (const network of model.networks) {
    for (const artifact of list(network.evaluated?.artifacts)) {
      const group = network.role + ' ' + artifact.precision;
      if (!sets.has(group)) sets.set(group, {group, role: network.role, precision: artifact.precision, data: []});
      sets.get(group).data.push(tradeoffPoint(model, network, artifact));
    }
  }
  const order = Object.keys(MARKS);
  return [...sets.values()].sort(
      (a, b) => (a.precision !== model.precision) - (b.precision !== model.precision) ||
          order.indexOf(a.role) - order.indexOf(b.role));
}

const tradeoffLines = (point) =>
    [point.network.label + '  ' + point.network.id + '  ' + point.artifact.precision,
     'latency ' + fixed(point.x, 3) + ' ms  (' + latencyNote(point.artifact.latency) + ')',
     'accuracy ' + fixed(point.y, 1) + ' points  (' + range(point.yLow, point.yHigh, (v) => fixed(v, 1)) + ')',
     ...choiceLines(point.network)];

function scatterStyle(role, shape, hollow) {
  return {
    pointStyle: shape,
    radius: 6,
    hoverRadius: 8,
    borderWidth: 1.75,
    borderColor: colour(role),
    backgroundColor: hollow ? colour('paper') : colour(role),
    whiskerColor: withAlpha(colour(role), 0.5)
  };
}

function tradeoffConfig(model, sets) {
  const {selection} = model;
  const ring = (point) => {
    const at = point.artifact?.precision === model.precision ? selection.compared.indexOf(point.network.id) : -1;
    return at < 0 ? '' : 'AB'[at];
  };
  return {
    type: 'scatter',
    plugins: [whiskers, rings, pointLabels, budgetLine],
    data: {
      datasets:
          sets.map((set) => ({...set, ...scatterStyle(set.role, MARKS[set.role], set.precision !== model.precision)}))
    },
    options: {
      scales: {
        x: axisOptions(
            isEstimate(model) ? latencyName(model) + ', ms' : 'latency on the device, ms',
            limits('x', [latencyBudget(model)])),
        y: axisOptions('test accuracy, points of ' + scoreName(model), limits('y'))
      },
      plugins: {
        tooltip: tooltipOptions(tradeoffLines),
        budget: {value: selection.budget, text: budgetText(selection.budget), handle: true},
        rings: {of: ring}
      }
    }
  };
}

function tradeoffTable(model, sets) {
  return makeTable({
    caption: 'Accuracy and latency of every network and precision',
    sortable: true,
    columns: [
      {name: 'network'}, {name: 'precision'}, {name: latencyName(model) + ', ms', number: true},
      {name: 'interval of latency', number: true}, {name: 'accuracy, points', number: true},
      {name: 'interval of accuracy', number: true}
    ],
    rows:
        sets.flatMap((set) => set.data.map((p) => ({
                                             cells: [
                                               networkCell(p.network), set.precision, {show: fixed(p.x, 3), value: p.x},
                                               latencyNote(p.artifact.latency), {show: fixed(p.y, 1), value: p.y},
                                               range(p.yLow, p.yHigh, (v) => fixed(v, 1))
                                             ]
                                           })))
  });
}

// ---- The budget

// The line follows the pointer.
function makeBudgetDraggable(figure, selection) {
  const {canvas} = figure;
  const valueAt = (event) =>
      figure.chart.scales.x.getValueForPixel(event.clientX - canvas.getBoundingClientRect().left);
  const isNear = (event) => Math.abs(
                                event.clientX - canvas.getBoundingClientRect().left -
                                figure.chart.scales.x.getPixelForValue(selection.budget)) < 10;
  let dragging = false;  // a mark on the line can be pressed: only a move makes it a drag
  canvas.addEventListener('pointerdown', (event) => {
    figure.dragged = false;
    dragging = isNear(event);
    if (dragging) canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointermove', (event) => {
    canvas.style.cursor = dragging || isNear(event) ? 'ew-resize' : '';
    const {min, max} = figure.chart.scales.x;
    if (!dragging || event.movementX === 0) return;
    figure.dragged = true;
    selection.set({budget: Math.min(max, Math.max(min, valueAt(event)))});
  });
  for (const end of ['pointerup', 'pointercancel']) canvas.addEventListener(end, () => dragging = false);
  followBudget(figure, selection);
}

function budgetAnswer(model) {
  const {budget} = model.selection;
  const chosen = chosenWithin(model, budget);
  if (!chosen) {
    const fastest = Math.min(
        ...model.networks.map((network) => artifactOf(network, model.precision)).filter(Boolean).map(judgedMs));
    return [element(
        'p', {class: 'answer'},
        'No trained network is so fast. The fastest takes ' + milliseconds(1e6 * fastest) + ' ms.')];
  }
  const {network, artifact, val} = chosen, base = artifactOf(model.baseline, model.precision);
  const saved = 100 * (artifact.latency.median_ns / base.latency.median_ns - 1);
  return [
    element(
        'p', {class: 'answer'}, chip(network),
        network.baseline ? 'stays: no candidate within it scores better on val' :
                           'would be chosen: the best on val within it'),
    element(
        'p', {class: 'note'},
        milliseconds(artifact.latency.median_ns) + ' ms' + (network.baseline ? '' : ' (' + signed(saved, 1) + ' %)') +
            ', ' + points(artifact.test.score) + ' points on test, ' + points(val) + ' on val' +
            (val < base.val[model.metric] ? '; the baseline has ' + points(base.val[model.metric]) + ' on val' : '') +
            '.')
  ];
}

function budgetPanel(model) {
  const {selection} = model;
  const times = model.networks.flatMap((network) => artifactOf(network, model.precision) || []).map(judgedMs);
  const [low, high] = [0.9 * Math.min(...times, selection.budget), 1.1 * Math.max(...times, selection.budget)];
  const step = roundStep((high - low) / 500);
  const number = element('output', {});
  const answer = element('div', {'aria-live': 'polite'});
  const slider = element('input', {
    type: 'range',
    min: Math.floor(low / step) * step,
    max: Math.ceil(high / step) * step,
    step,
    oninput: (event) => selection.set({budget: Number(event.currentTarget.value)})
  });
  const show = () => {
    slider.value = selection.budget;
    number.textContent = milliseconds(1e6 * selection.budget) + ' ms';
    const chosen = chosenWithin(model, selection.budget);
    slider.setAttribute(
        'aria-valuetext', number.textContent + ': ' + (chosen ? chosen.network.label : 'none is so fast'));
    answer.replaceChildren(...budgetAnswer(model));
  };
  selection.listen((_, change) => 'budget' in change && show());
  show();
  return element(
      'div', {class: 'panel', id: 'budget'},
      element('label', {class: 'slider'}, element('span', {}, 'If the latency budget were ', number), slider), answer);
}

// ---- Two networks

// [name, value of network and artifact, digits, whether the difference is in percent]
const comparedRows = (model) => [
    [latencyName(model) + ', ms', (n, a) => a?.latency.median_ns / 1e6, 3, true],
    ['test, points', (n, a) => 100 * a?.test.score, 1], ['val, points', (n, a) => 100 * a?.val?.[model.metric], 1],
    ['MACs, M', (n) => n.macs / 1e6, 1, true], ['parameters, M', (n) => n.evaluated?.params / 1e6, 2, true],
    ['flash, KiB', (n) => n.flash_kib ?? n.evaluated?.flash_kib, 0, true],
    ['RAM, KiB', (n) => n.ram_kib ?? n.evaluated?.ram_kib, 0, true],
    ['predicted latency, ms', (n) => n.latency_ns / 1e6, 3, true]];

const pickedNetworks = (model) => model.selection.compared.map((id) => model.byId.get(id));
const numberCell = (value, show) => ({show: isNumber(value) ? show : '–', value: isNumber(value) ? value : null});

function comparedFigures(model) {
  const picked = pickedNetworks(model);
  return makeTable({
    caption: 'Figures, ' + model.precision,
    columns: [
      {name: 'figure'}, ...picked.map((n, i) => ({name: 'AB'[i] + ': ' + n.label, number: true})),
      {name: 'B v A', number: true}
    ],
    rows: comparedRows(model).map(([name, value, digits, relative]) => {
      const [x, y] = picked.map((n) => value(n, artifactOf(n, model.precision)));
      const change = relative ? 100 * (y / x - 1) : y - x;
      return {
        cells: [
          name, numberCell(x, fixed(x, digits)), numberCell(y, fixed(y, digits)),
          numberCell(change, signed(change, 1) + (relative ? ' %' : ''))
        ]
      };
    })
  });
}

function comparedSlots(model) {
  const picked = pickedNetworks(model), [a, b] = picked;
  return makeTable({
    caption: 'Choices; what differs stands out',
    columns: [{name: 'slot'}, ...picked.map((n, i) => ({name: 'AB'[i] + ': ' + n.label}))],
    rows: Array.from(
        {length: Math.max(a.slots.length, b.slots.length)},
        (_, i) => {
          const [x, y] = picked.map((n) => n.names[i] || '–');
          return {
            class: x === y ? 'same' : null,
            cells: [String(i + 1), ...[x, y].map((name) => x === y ? name : strong(name))]
          };
        })
  });
}

function comparisonNote(model) {
  const [a, b] = pickedNetworks(model);
  const other = a.baseline ? b : b.baseline ? a : null;
  const against = other?.evaluated?.against_baseline;
  if (!against) return 'Whether a difference in accuracy is shown is judged against the baseline: pick it as A or B.';
  const interval = signed(100 * against.low, 1) + ' to ' + signed(100 * against.high, 1);
  return (against.shown ? 'Difference in accuracy shown' : 'No difference in accuracy shown') + ': ' + other.label +
      ' against the baseline ' + signed(100 * against.difference, 1) + ' points, paired 95 % interval ' + interval +
      '.';
}

// A network that is pressed takes the place of the one that was picked longer ago.
const pick = (selection, id) =>
    selection.compared.includes(id) || selection.set({compared: [selection.compared.at(-1), id]});

function comparePanel(model) {
  const {selection} = model;
  const options = model.networks.map(
      (n) =>
          [n.id,
           n.label +
               (isWinner(model, n) ? ' (winner)' :
                    n.evaluated    ? '' :
                                     ' (not trained)')]);
  const body = element('div', {});
  const fields = [0, 1].map((i) => choiceField({
                              label: 'AB'[i],
                              options,
                              value: selection.compared[i],
                              onchange: (id) => selection.set({compared: selection.compared.with(i, id)})
                            }));
  const show = () => {
    fields.forEach((field, i) => field.querySelector('select').value = selection.compared[i]);
    body.replaceChildren(
        element('div', {class: 'pair'}, comparedFigures(model), comparedSlots(model)),
        element('p', {class: 'note'}, comparisonNote(model)));
  };
  selection.listen((_, change) => 'compared' in change && show());
  show();
  return element(
      'div', {id: 'compare'}, element('h3', {}, 'Compare two'),
      element('div', {class: 'fields'}, fields, element('span', {class: 'hint'}, 'or press two marks in the chart')),
      body);
}

function tradeoffSection(model) {
  if (!model.run.evaluation) return [missing('evaluate')];
  const {selection} = model, sets = tradeoffSets(model);
  if (selection.budget === null) selection.budget = judgedMs(artifactOf(model.baseline, model.precision));
  const legend = sets.map((set) => ({
                            group: set.group,
                            text: ROLE_NAMES[set.role] + ', ' + set.precision,
                            shape: MARKS[set.role],
                            role: set.role,
                            hollow: set.precision !== model.precision
                          }));
  const caption = 'Filled marks: ' + model.precision + ', hollow: other precisions. ' +
      'The dashed line is the latency budget: drag it, or use the slider. ' +
      'The whiskers are each network’s own; whether two networks differ is judged by the paired interval in “All networks”. Press a legend entry to hide it.';
  const chart = chartFigure({
    label: 'Scatter chart of test accuracy against latency',
    caption,
    legend,
    build: () => tradeoffConfig(model, sets),
    data: () => tradeoffTable(model, sets),
    onPick: (point) => pick(selection, point.network.id),
    onMake: (figure) => {
      makeBudgetDraggable(figure, selection);
      selection.listen((_, change) => 'compared' in change && figure.chart && figure.chart.update('none'));
    }
  });
  return [budgetPanel(model), chart, model.networks.length > 1 ? comparePanel(model) : null];
}
