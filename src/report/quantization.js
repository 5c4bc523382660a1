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
      worst ? fixed(worst.sqnr_db, 1) + ' dB, ' + worst.layer : '–', {show: duration(entry.seconds), value: entry.seconds}
    ]
  };
}

// One line for each network that was trained on.
function fineTunings(model, entries) {
  return entries.filter((entry) => entry.fine_tuned).map((entry) => {
    const network = model.networks.find(({id}) => id === entry.id);
    const {epochs, before, after, kept} = entry.fine_tuned;
    return element('p', {class: 'note'}, (network?.label || entry.id) + ', ' + entry.precision + ': fine-tuned ' + epochs +
        (epochs === 1 ? ' epoch' : ' epochs') + ' with its roundings, ' + points(before) + ' before, ' + points(after) +
        ' after on val' + (kept ? '.' : ': not kept.'));
  });
}

function sqnrTable(model, entry) {
  const network = model.networks.find(({id}) => id === entry.id);
  return details((network?.label || entry.id) + ', ' + entry.precision, makeTable({
                   caption: 'Signal to quantization noise, layer by layer',
                   sortable: true,
                   tall: true,
                   columns: [{name: 'output of'}, {name: 'range by'}, {name: 'SQNR, dB', number: true}],
                   rows: list(entry.layers).map((layer) => ({
                                                  cells: [
                                                    layer.layer, layer.ranges,
                                                    {show: fixed(layer.sqnr_db, 1), value: layer.sqnr_db}
                                                  ]
                                                }))
                 }));
}

function quantizationSection(model) {
  const {quantize} = model.run;
  const entries = list(quantize?.networks);
  if (!entries.length) return [missing('quantize')];
  const options = quantize.options || {};
  const note = 'Ranges: ' + options.ranges + '; rounding: ' + options.rounding + '; ' + options.pictures + ' pictures. ' +
      (isNumber(options.max_drop) ? 'Promised: at most ' + options.max_drop + ' points lost on val.' :
                                    'No drop was promised (quantize.max_drop).');
  return [
    element('p', {class: 'note'}, note), makeTable({
      caption: 'Integer networks against fp32, ' + quantize.score + ' on val',
      sortable: true,
      columns: [
        {name: 'network'}, {name: 'built for'}, {name: 'scheme'}, {name: 'fp32', number: true},
        {name: 'integers', number: true}, {name: 'points lost', number: true}, {name: 'fell back to float'},
        {name: 'least SQNR'}, {name: 'time', number: true}
      ],
      rows: entries.map((entry) => quantizedRow(model, entry))
    }),
    ...fineTunings(model, entries), ...entries.map((entry) => sqnrTable(model, entry))
  ];
}
