'use strict';
// What 8 or 16 bits cost each network on the validation pictures, what fell back to float, and how much of each tensor
// is left.

function quantizedRow(model, entry) {
  const network = model.networks.find(({id}) => id === entry.id);
  const drop = 100 * (entry.fp32 - entry.score);
  const worst = [...list(entry.layers)].sort((a, b) => a.sqnr_db - b.sqnr_db)[0];
  return {
    cells: [
      network ? networkCell(network) : entry.id, entry.precision, entry.scheme, points(entry.fp32), points(entry.score),
      {show: fixed(drop, 1), value: drop},
      element('span', {class: 'long'}, list(entry.float_layers).join(', ') || 'none'),
      worst ? fixed(worst.sqnr_db, 1) + ' dB, ' + worst.layer : '–',
      {show: duration(entry.seconds), value: entry.seconds}
    ]
  };
}

// One line for each network that was trained on.
function fineTunings(model, entries) {
  return entries.filter((entry) => entry.fine_tuned).map((entry) => {
    const network = model.networks.find(({id}) => id === entry.id);
    const {epochs, before, after, kept} = entry.fine_tuned;
    return element(
        'p', {class: 'note'},
        (network?.label || entry.id) + ', ' + entry.precision + ': fine-tuned ' + epochs +
            (epochs === 1 ? ' epoch' : ' epochs') + ' with its roundings, ' + points(before) + ' before, ' +
            points(after) + ' after on val' + (kept ? '.' : ': not kept.'));
  });
}

function sqnrTable(layers) {
  return makeTable({
    caption: 'Signal to quantization noise, layer by layer',
    sortable: true,
    tall: true,
    columns: [{name: 'output of'}, {name: 'range by'}, {name: 'runs in'}, {name: 'SQNR, dB', number: true}],
    rows:
        layers.map((layer) => ({
                     cells: [
                       layer.layer, layer.ranges, layer.float ? element('span', {class: 'worse'}, 'float') : 'integers',
                       {show: fixed(layer.sqnr_db, 1), value: layer.sqnr_db}
                     ]
                   }))
  });
}

// Bars in the order of execution: where bits cost most, and which layers fell back to float for it.
function sqnrChart(name, layers) {
  const lines = (p) =>
      [p.layer.layer, fixed(p.y, 1) + ' dB, range by ' + p.layer.ranges + (p.layer.float ? ', runs in float' : '')];
  const bars = layers.map((layer, i) => ({x: i + 1, y: layer.sqnr_db, layer})).filter((p) => isNumber(p.y));
  const groups = [
    ['integers', 'accuracy', bars.filter((p) => !p.layer.float)],
    ['fell back to float', 'latency', bars.filter((p) => p.layer.float)]
  ];
  const build = () => ({
    type: 'bar',
    data: {
      datasets: groups.map(([group, role, data]) => ({
                             group,
                             data,
                             parsing: false,
                             grouped: false,
                             backgroundColor: withAlpha(colour(role), 0.8),
                             barThickness: Math.max(2, Math.min(14, Math.floor(800 / layers.length)))
                           }))
    },
    options: {
      interaction: {mode: 'nearest', axis: 'x', intersect: false},
      scales: {
        x: {
          ...axisOptions('output, in the order of execution'),
          min: 0,
          max: layers.length + 1,
          offset: false,
          grid: {display: false}
        },
        y: axisOptions('SQNR, dB')
      },
      plugins: {tooltip: tooltipOptions(lines)}
    }
  });
  return chartFigure({
    label: 'Bar chart of the signal to quantization noise of each layer of ' + name,
    size: 'small',
    build,
    data: () => sqnrTable(layers),
    caption: 'The higher, the more of the tensor is left; 6 dB are one bit.',
    legend:
        groups.filter(([, , data]) => data.length).map(([group, role]) => ({group, text: group, shape: 'rect', role}))
  });
}

function perLayer(model, entries) {
  const nameOfEntry = (entry) => nameOf(model, entry.id) + ', ' + entry.precision;
  const key = (entry) => entry.id + ' ' + entry.precision;
  const body = element('div', {});
  const show = (wanted) => {
    const entry = entries.find((one) => key(one) === wanted), floats = new Set(list(entry.float_layers));
    body.replaceChildren(
        sqnrChart(nameOfEntry(entry), list(entry.layers).map((layer) => ({...layer, float: floats.has(layer.layer)}))));
    forgetReplaced();
  };
  const first = entries.find((entry) => entry.id === model.selection.network) || entries[0];
  show(key(first));
  const field = choiceField({
    label: 'Network',
    options: entries.map((entry) => [key(entry), nameOfEntry(entry)]),
    value: key(first),
    onchange: show
  });
  return [element('h3', {}, 'Layer by layer'), element('div', {class: 'fields'}, field), body];
}

function quantizationSection(model) {
  const {quantize} = model.run;
  const entries = list(quantize?.networks);
  if (!entries.length) return [missing('quantize')];
  const options = quantize.options || {};
  const note = 'Ranges: ' + options.ranges + '; rounding: ' + options.rounding + '; ' + options.pictures +
      ' pictures. ' +
      (isNumber(options.max_drop) ? 'Promised: at most ' + options.max_drop + ' points lost on val.' :
                                    'No drop was promised (quantize.max_drop).');
  return [
    element('p', {class: 'note'}, note), makeTable({
      caption: 'Integer networks against fp32, ' + quantize.score + ' on val',
      sortable: true,
      tall: true,
      columns: [
        {name: 'network'}, {name: 'built for'}, {name: 'scheme'}, {name: 'fp32', number: true},
        {name: 'integers', number: true}, {name: 'points lost', number: true}, {name: 'fell back to float'},
        {name: 'least SQNR'}, {name: 'time', number: true}
      ],
      rows: entries.map((entry) => quantizedRow(model, entry))
    }),
    ...fineTunings(model, entries), ...perLayer(model, entries)
  ];
}
