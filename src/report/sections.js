'use strict';
// The sections on results, one function each: takes the model, returns nodes.

const chip = (network) => element('span', {class: 'chip ' + network.role}, network.label);

const networkCell = (network) => ({show: [chip(network)], value: network.label});

function choiceLines(network) {
  const lines = [];
  for (let i = 0; i < network.names.length; i += 4) {
    lines.push(network.names.slice(i, i + 4).map((name, k) => (i + k + 1) + ': ' + name).join('   '));
  }
  return lines;
}

// ---- Verdict

const figureItem = (name, value, unit, ...lines) => element(
    'div', {}, element('dt', {}, name), element('dd', {class: 'value'}, value, ' ', element('small', {}, unit)),
    lines.map((line) => element('dd', {}, line)));

const toneOf = (change) => change < 0 ? 'change better' : change > 0 ? 'change worse' : 'change';

const latencyTitle = (model) => isEstimate(model) ? 'Latency, ' + latencyIs(model) : 'Latency, median';

function latencyFigure(model, artifact, base) {
  const [now, then] = [artifact.latency, base.latency];
  const change = now.median_ns - then.median_ns;
  const relative = 100 * change / then.median_ns;
  const text = overlap(now, then) ?
      element('span', {class: 'change'}, 'no difference shown') :
      element(
          'span', {class: toneOf(change)},
          signed(relative, 1) + ' %, ' + (change < 0 ? MINUS : '+') + milliseconds(Math.abs(change)) + ' ms');
  return figureItem(
      latencyTitle(model), milliseconds(now.median_ns), 'ms', text, 'baseline ' + milliseconds(then.median_ns) + ' ms');
}

function accuracyFigure(model, network, artifact, base) {
  const against = network.evaluated.against_baseline || {};
  const interval = signed(100 * against.low, 1) + ' to ' + signed(100 * against.high, 1);
  const change = signed(100 * against.difference, 1) + ' points, ' + signed(against.relative_accuracy_pct, 1) + ' %';
  const text = against.shown ? element('span', {class: toneOf(-against.difference)}, change) :
                               element('span', {class: 'change'}, 'no difference shown');
  return figureItem(
      'Accuracy on test, ' + scoreName(model), points(artifact.test.score), 'points', text,
      (against.shown ? '' : signed(100 * against.difference, 1) + '; ') + '95 % interval ' + interval,
      'baseline ' + points(base.test.score) + ' points');
}

function sizeFigure(name, now, then) {
  const text = now === then ? element('span', {class: 'change'}, 'the same') :
                              element(
                                  'span', {class: toneOf(now - then)},
                                  signed(100 * (now - then) / then, 1) + ' %, ' + signed(now - then, 0) + ' KiB');
  return figureItem(name, kib(now), 'KiB', text, 'baseline ' + kib(then) + ' KiB');
}

// Use of memories, largest first: peaks as the vendor's tool estimates them, and what the compiler has planned.
const memoryFigures = (model, artifact) =>
    [[artifact.estimated_peak_kib, latencyIs(model)], [artifact.planned_kib, 'planned']].flatMap(
        ([sizes, source]) =>
            Object.entries(sizes || {})
                .sort(([, a], [, b]) => b - a)
                .map(([memory, size]) => figureItem(memory.replaceAll('_', ' ') + ', ' + source, kib(size), 'KiB')));

function winnerFigures(model, {network, titles}) {
  const [artifact, base] = [artifactOf(network, model.precision), artifactOf(model.baseline, model.precision)];
  return element(
      'div', {class: 'winner'}, element('h3', {}, titles.join('; '), chip(network), element('code', {}, network.id)),
      element(
          'dl', {class: 'figures'}, latencyFigure(model, artifact, base), accuracyFigure(model, network, artifact, base),
          sizeFigure('Flash (weights)', network.evaluated.flash_kib, model.baseline.evaluated.flash_kib),
          sizeFigure('RAM (peak activations)', network.evaluated.ram_kib, model.baseline.evaluated.ram_kib),
          memoryFigures(model, artifact)));
}

function baselineFigures(model) {
  const artifact = artifactOf(model.baseline, model.precision);
  return element(
      'div', {class: 'winner'}, element('h3', {}, 'Baseline', element('code', {}, model.baseline.id)),
      element(
          'dl', {class: 'figures'}, figureItem(latencyTitle(model), milliseconds(artifact.latency.median_ns), 'ms'),
          figureItem('Accuracy on test, ' + scoreName(model), points(artifact.test.score), 'points'),
          figureItem('Flash (weights)', kib(model.baseline.evaluated.flash_kib), 'KiB'),
          figureItem('RAM (peak activations)', kib(model.baseline.evaluated.ram_kib), 'KiB'),
          memoryFigures(model, artifact)));
}

function verdictSection(model) {
  if (!model.run.evaluation) return [missing('evaluate')];
  const winners = winnersOf(model);
  const where = isEstimate(model) ? ', latency is an ' + latencyIs(model) + ' and was not measured, accuracy is from ' +
          model.run.evaluation.accuracy_from + ', ' :
                                    ' on the device, ';
  const intro = model.precision + where + model.run.evaluation.test_pictures +
      ' test pictures; accuracy in points (0 to 100).' +
      (findsKeypoints(model) ? ' Keypoints were looked for in the labelled boxes of ' +
               model.run.evaluation.test_views + ' objects, not in detected ones; a latency is that of one object.' :
                               '') +
      (passesOf(model) > 1 ?
           ' Flip test: scores are of the mean over the picture and its mirror image, latencies of both passes.' :
           '');
  return [
    ...(winners.length ? winners.map((winner) => winnerFigures(model, winner)) : [baselineFigures(model)]),
    element('p', {class: 'note'}, 'All figures are for ' + intro)
  ];
}

// ---- Accuracy against latency

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

function tradeoffSection(model) {
  if (!model.run.evaluation) return [missing('evaluate')];
  const sets = tradeoffSets(model);
  const budgetOfPass = model.run.verify?.budgets?.latency_ms;
  const budget = isNumber(budgetOfPass) ? passesOf(model) * budgetOfPass : null;
  const build = () => ({
    type: 'scatter',
    plugins: [whiskers, pointLabels, budgetLine],
    data: {
      datasets:
          sets.map((set) => ({...set, ...scatterStyle(set.role, MARKS[set.role], set.precision !== model.precision)}))
    },
    options: {
      scales: {
        x: axisOptions(isEstimate(model) ? latencyName(model) + ', ms' : 'latency on the device, ms', limits('x', [budget])),
        y: axisOptions('test accuracy, points of ' + scoreName(model), limits('y'))
      },
      plugins:
          {tooltip: tooltipOptions(tradeoffLines), budget: {value: budget, text: 'budget ' + fixed(budget, 2) + ' ms'}}
    }
  });
  const legend = sets.map((set) => ({
                            group: set.group,
                            text: ROLE_NAMES[set.role] + ', ' + set.precision,
                            shape: MARKS[set.role],
                            role: set.role,
                            hollow: set.precision !== model.precision
                          }));
  const data = makeTable({
    caption: 'Accuracy and latency of every network and precision',
    sortable: true,
    columns: [
      {name: 'network'}, {name: 'precision'}, {name: latencyName(model) + ', ms', number: true},
      {name: '95 % interval', number: true}, {name: 'accuracy, points', number: true},
      {name: '95 % interval', number: true}
    ],
    rows: sets.flatMap(
        (set) => set.data.map((p) => ({
                                cells: [
                                  networkCell(p.network), set.precision, {show: fixed(p.x, 3), value: p.x},
                                  latencyNote(p.artifact.latency), {show: fixed(p.y, 1), value: p.y},
                                  range(p.yLow, p.yHigh, (v) => fixed(v, 1))
                                ]
                              })))
  });
  const caption = 'Filled marks: ' + model.precision + ', hollow: other precisions. ' +
      (isNumber(budget) ? 'The dashed line is the latency budget. ' : '') +
      'The whiskers are each network’s own; whether two networks differ is judged by the paired interval in “All networks”. Press a legend entry to hide it.';
  return [chartFigure({label: 'Scatter chart of test accuracy against latency', caption, build, legend, data})];
}

// ---- Choice per slot

function barOf(parts, longest) {
  const total = parts.reduce((sum, part) => sum + part.ns, 0);
  const share = (part) => 100 * part.ns / total;
  const text = (part) => part.part + (part.choice ? ' (' + shortChoice(part.choice) + ')' : '') + ' ' +
      milliseconds(part.ns) + ' ms, ' + fixed(share(part), 1) + ' %';
  return element(
      'div', {class: 'bar-track'},
      element(
          'div', {
            class: 'bar-parts',
            role: 'img',
            style: 'width:' + (100 * total / longest).toFixed(2) + '%',
            'aria-label': 'Share of predicted latency: ' + parts.map(text).join('; ')
          },
          parts.map(
              (part) => element(
                  'span', {
                    title: text(part),
                    style: 'width:' + share(part).toFixed(2) + '%;background:var(--' +
                        (part.choice ? blockColour(blockOf(part.choice)) : 'fixed') + ')'
                  },
                  share(part) * total / longest > 4.5 ? part.part.replace('slot', '') : ''))));
}

function choiceRows(model, network, longest) {
  const parts = partsOf(model, network);
  const changed = (choice, i) => model.baseline && bare(choice) !== bare(model.baseline.slots[i] || '');
  const bar = parts.length ? element(
                                 'div', {class: 'bar-line'}, barOf(parts, longest),
                                 isNumber(network.latency_ns) ? milliseconds(network.latency_ns) + ' ms' : '') :
                             '–';
  const names = network.slots.map(
      (choice, i) => element(
          'td', {},
          element(
              'span', {
                title: 'slot ' + (i + 1) + ': ' + choice,
                class: changed(choice, i) || network.baseline ? 'choice changed' : 'choice',
                style: 'background:var(--' + blockColour(blockOf(choice)) + ')'
              },
              network.names[i])));
  return [
    element(
        'tr', {class: 'bar'}, element('th', {scope: 'rowgroup', rowspan: 2}, chip(network)),
        element('td', {colspan: network.slots.length}, bar)),
    element('tr', {class: 'names'}, names)
  ];
}

function choicesSection(model) {
  const shown = model.networks.filter((network) => network.slots.length);
  if (!shown.length) return [missing('search')];
  const longest =
      Math.max(...shown.map((network) => partsOf(model, network).reduce((sum, part) => sum + part.ns, 0)), 1);
  const slots = Math.max(...shown.map((network) => network.slots.length));
  const table = element(
      'table', {class: 'choices'}, element(
          'caption', {},
          'Predicted ' + latencyName(model) + ', by part' + ofOnePass(model) + ', and the choice in every slot'),
      element(
          'thead', {},
          element(
              'tr', {}, element('th', {scope: 'col'}, 'network'),
              Array.from({length: slots}, (_, i) => element('th', {scope: 'col'}, 'slot ' + (i + 1))))),
      shown.map((network) => element('tbody', {}, choiceRows(model, network, longest))));
  const keys = [
    ['irb', 'inverted residual (irb)'], ['fused', 'fused inverted residual'], ['sandglass', 'sandglass'],
    ['fixed', 'stem, tail and head']
  ];
  return [element(
      'figure', {},
      element(
          'ul', {class: 'legend'},
          keys.map(
              ([name, text]) =>
                  element('li', {class: 'key'}, element('i', {style: 'background:var(--' + name + ')'}), text))),
      element('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Choices per slot'}, table),
      element(
          'figcaption', {},
          'The length of a bar is the plain sum of the table’s rows, the number beside it the corrected prediction. k is the kernel, e the expansion. ' +
              'Choices that differ from the baseline stand out.'))];
}

// ---- Predicted against measured

const predictionCell = (predicted, measured) =>
    ({value: predicted, show: withNote(milliseconds(predicted), signed(100 * (predicted / measured - 1), 1) + ' %')});

function predictionSection(model) {
  const verify = model.run.verify;
  if (!verify) return [missing('verify')];
  const networks = list(verify.networks);
  const measured = isEstimate(model) ? 'estimated' : 'measured';
  const note = (n, format) => isEstimate(model) ? latencyIs(model) : range(n.low_ns, n.high_ns, format);
  const point = (key) => (n) => ({
    x: n[key] / 1e6,
    y: n.measured_ns / 1e6,
    yLow: n.low_ns / 1e6,
    yHigh: n.high_ns / 1e6,
    note: note(n, milliseconds),
    name: nameOf(model, n.id)
  });
  const corrected = networks.map(point('predicted_ns')), plain = networks.map(point('plain_sum_ns'));
  const ends = [...corrected, ...plain].flatMap((p) => [p.x, p.y]);
  const diagonal = [0, 2 * Math.max(...ends)].map((v) => ({x: v, y: v}));
  const lines = (p, set) =>
      [p.name + ', ' + set.group, 'predicted ' + fixed(p.x, 3) + ' ms',
       measured + ' ' + fixed(p.y, 3) + ' ms  (' + p.note + ')',
       'prediction off by ' + signed(100 * (p.x / p.y - 1), 1) + ' %'];
  const build = () => ({
    type: 'scatter',
    plugins: [whiskers],
    data: {
      datasets: [
        {group: 'corrected', data: corrected, ...scatterStyle('accuracy', 'circle', false)},
        {group: 'plain sum', data: plain, ...scatterStyle('latency', 'triangle', true)}, {
          group: 'diagonal',
          data: diagonal,
          type: 'line',
          silent: true,
          borderColor: colour('muted'),
          borderDash: [5, 4],
          borderWidth: 1,
          pointRadius: 0,
          pointHitRadius: 0
        }
      ]
    },
    options: {
      scales: {
        x: axisOptions('predicted latency, ms' + ofOnePass(model), limits('x', ends)),
        y: axisOptions(measured + ' latency, ms' + ofOnePass(model), limits('y', ends))
      },
      plugins: {tooltip: tooltipOptions(lines)}
    }
  });
  const legend = [
    {group: 'corrected', text: 'corrected prediction', shape: 'circle', role: 'accuracy'},
    {group: 'plain sum', text: 'plain sum of the table’s rows', shape: 'triangle', role: 'latency', hollow: true},
    {group: 'diagonal', text: 'predicted = ' + measured, shape: 'dashed', role: 'baseline'}
  ];
  const data = makeTable({
    caption: 'Predicted and ' + measured + ' latency, ms' + ofOnePass(model) +
        '; small print: interval, and error of the prediction',
    sortable: true,
    tall: true,
    columns: [
      {name: 'network'}, {name: measured, number: true, title: isEstimate(model) ? latencyIs(model) : 'median and 95 % interval'},
      {name: 'corrected', number: true}, {name: 'plain sum', number: true}
    ],
    rows: networks.map((n) => ({
                         cells: [
                           model.byId.has(n.id) ? networkCell(model.byId.get(n.id)) : element('code', {}, n.id), {
                             show: withNote(
                                 milliseconds(n.measured_ns),
                                 note(n, milliseconds) + (n.steady ? '' : ', not steady') +
                                     (n.keeps_budgets === false ? ', over the budget' : '')),
                             value: n.measured_ns
                           },
                           predictionCell(n.predicted_ns, n.measured_ns), predictionCell(n.plain_sum_ns, n.measured_ns)
                         ]
                       }))
  });
  const fits =
      list(verify.corrections)
          .map(
              (fit) => 'width ' + fit.width + ': ' + fixed(fit.slope, 3) + ' × sum ' +
                  (fit.intercept_ns < 0 ? MINUS : '+') + ' ' + milliseconds(Math.abs(fit.intercept_ns)) + ' ms')
          .join('; ');
  const caption = 'Median error: ' + fixed(verify.median_error_pct, 1) + ' % corrected, ' +
      fixed(verify.plain_sum_median_error_pct, 1) + ' % for the plain sum. ' +
      'The correction is fitted to these same networks (' + fits + ').';
  return [element(
      'div', {class: 'pair'},
      chartFigure(
          {label: 'Scatter chart of ' + measured + ' against predicted latency', caption, build, legend, size: 'square'}),
      data)];
}
