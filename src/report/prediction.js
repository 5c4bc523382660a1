'use strict';
// Predicted latency against that of whole networks.

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
      {name: 'network'},
      {name: measured, number: true, title: isEstimate(model) ? latencyIs(model) : 'median and 95 % interval'},
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
      'div', {class: 'pair'}, chartFigure({
        label: 'Scatter chart of ' + measured + ' against predicted latency',
        caption,
        build,
        legend,
        size: 'square'
      }),
      data)];
}
