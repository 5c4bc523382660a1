'use strict';
// The sections that are for looking things up: tables of networks, trials, look-up rows, layers, environment.

// ---- All networks

function differenceCell(against) {
  if (!against) return '–';
  const interval = signed(100 * against.low, 1) + ' to ' + signed(100 * against.high, 1);
  const value = signed(100 * against.difference, 1);
  return {
    value: against.difference,
    show: against.shown ?
        withNote(element('span', {class: against.difference > 0 ? 'better' : 'worse'}, value), interval) :
        withNote('no difference shown', value + '; ' + interval)
  };
}

function dropCell(model, network) {
  const [own, full] = [artifactOf(network, model.precision), artifactOf(network, 'fp32')];
  if (!own || !full || own === full) return '–';
  const change = 100 * (own.test.score - full.test.score);
  return {value: change, show: withNote(signed(change, 1), 'fp32 ' + points(full.test.score))};
}

function networkRow(model, network) {
  const artifact = artifactOf(network, model.precision);
  const [latency, test, val] = [artifact?.latency, artifact?.test, artifact?.val?.[model.metric]];
  const verified = network.verified;
  const untrained_ns = passesOf(model) * verified?.measured_ns;
  const measured = latency ?
      {value: latency.median_ns, show: withNote(milliseconds(latency.median_ns), latencyNote(latency))} :
      verified ? {value: untrained_ns, show: withNote(milliseconds(untrained_ns), 'untrained')} :
                 '–';
  return {
    class: isWinner(model, network) ? 'winner-row' : null,
    cells: [
      {value: network.label, show: withNote(chip(network), element('code', {}, network.id))},
      network.baseline ? 'baseline' : network.objectives.join(', '),
      {show: String(network.width), value: network.width}, {show: millions(network.macs), value: network.macs},
      measured, {show: isNumber(val) ? points(val) : '–', value: val},
      test ? {value: test.score, show: withNote(points(test.score), range(test.low, test.high, points))} : '–',
      dropCell(model, network), differenceCell(network.evaluated?.against_baseline),
      {show: kib(network.flash_kib), value: network.flash_kib}, {show: kib(network.ram_kib), value: network.ram_kib},
      element('span', {class: 'nowrap'}, network.names.join(' · '))
    ]
  };
}

// Scores by class: average precision of boxes, or the share of a class's pictures that are told right.
function classTable(model) {
  const shown = [model.baseline, ...winnersOf(model).map((winner) => winner.network)].filter(
      (network) => artifactOf(network, model.precision)?.test?.per_class);
  if (!shown.length) return null;
  const scores = (network) => artifactOf(network, model.precision).test.per_class;
  const ofPictures = model.metric === 'top1';
  const title = ofPictures ? 'Top-1 accuracy by class' : 'Average precision by class';
  const cell = (own) => !own ? '–' :
      ofPictures             ? {show: points(own.top1), value: own.top1} :
                               {show: points(own.ap) + ' (' + points(own.ap50) + ')', value: own.ap};
  const pictures = (row) => ofPictures ? [{show: String(row.pictures), value: row.pictures}] : [];
  return details(
      title, () => makeTable({
               caption: title + ' on test, points' + (ofPictures ? '' : ': AP (AP50)'),
               sortable: true,
               columns: [
                 {name: 'class'}, ...(ofPictures ? [{name: 'pictures', number: true}] : []),
                 ...shown.map((network) => ({name: network.label, number: true}))
               ],
               rows: scores(shown[0]).map(
                   (row) => ({
                     cells: [
                       row.name, ...pictures(row),
                       ...shown.map((network) => cell(scores(network).find((other) => other.name === row.name)))
                     ]
                   }))
             }));
}

function keypointTable(model) {
  const shown = [model.baseline, ...winnersOf(model).map((winner) => winner.network)].filter(
      (network) => artifactOf(network, model.precision)?.test?.per_keypoint);
  if (!shown.length) return null;
  const scores = (network) => artifactOf(network, model.precision).test.per_keypoint;
  const share = (row) => row && row.pck >= 0 ? {show: points(row.pck), value: row.pck} : '–';
  return details(
      'Correct keypoints', () => makeTable({
                             caption: 'Share of correct keypoints on test, points',
                             sortable: true,
                             columns: [
                               {name: 'keypoint'}, {name: 'labelled', number: true},
                               ...shown.map((network) => ({name: network.label, number: true}))
                             ],
                             rows: scores(shown[0]).map((row, i) => ({
                                                          cells: [
                                                            row.name, {show: String(row.labelled), value: row.labelled},
                                                            ...shown.map((network) => share(scores(network)[i]))
                                                          ]
                                                        }))
                           }));
}

function networksSection(model) {
  if (!model.networks.length) return [missing('search')];
  const columns = [
    {name: 'network, id'}, {name: 'objective'}, {name: 'width', number: true}, {name: 'MACs, M', number: true},
    {name: latencyName(model) + ', ms', number: true, title: 'median and 95 % interval'}, {name: 'val', number: true},
    {name: 'test', number: true, title: 'points and 95 % interval'},
    {name: model.precision + ' v fp32', number: true, title: 'test points lost by quantizing'},
    {name: 'v baseline', number: true, title: 'paired difference on test, 95 % interval'},
    {name: 'flash, KiB', number: true}, {name: 'RAM, KiB', number: true},
    {name: 'slots 1 to ' + Math.max(...model.networks.map((n) => n.slots.length))}
  ];
  const table = makeTable({
    caption: 'Scores in points of ' + scoreName(model) + ', ' + model.precision +
        '; small print: 95 % intervals. Winners are shaded.',
    columns,
    sortable: true,
    tall: true,
    rows: model.networks.map((network) => networkRow(model, network))
  });
  return [table, classTable(model), keypointTable(model)].concat(model.run.evaluation ? [] : [missing('evaluate')]);
}

// ---- Look-up table

// An integer row that is less than this many times as fast as in fp32 is marked: hardly worth what integers lose.
const LEAST_SPEED_UP = 1.2;

// By how much the row is faster than in fp32; nothing where that was not measured.
function speedUp(row, floatRows) {
  const same = floatRows.find((other) => other.part === row.part && bare(other.choice) === bare(row.choice));
  if (!same) return '';
  const ratio = same.latency_ns / row.latency_ns, text = ratio.toFixed(2) + '\u00d7';
  return {show: ratio < LEAST_SPEED_UP ? element('span', {class: 'worse'}, text) : text, value: ratio};
}

function lookupRow(row, users, slowest, floatRows) {
  return {
    cells: [
      row.part, row.choice ? element('span', {class: 'nowrap'}, bare(row.choice)) : '–', {
        value: row.latency_ns,
        show: [
          ...withNote(milliseconds(row.latency_ns), latencyNote(row)),
          element('span', {class: 'meter', style: '--part:' + (100 * row.latency_ns / slowest).toFixed(1) + '%'})
        ]
      },
      {show: millions(row.macs), value: row.macs}, {show: kib(row.weight_bytes / 1024), value: row.weight_bytes},
      {show: kib(row.peak_bytes / 1024), value: row.peak_bytes},
      {show: kib(row.carried_bytes / 1024), value: row.carried_bytes}, row.samples ?? '–',
      row.steady ? 'yes' : element('span', {class: 'worse'}, 'no'), ...(floatRows ? [speedUp(row, floatRows)] : []),
      {show: users.length ? users.map(chip) : '', value: -users.length}
    ]
  };
}

function lookupTable(model, table, open) {
  const rows = list(table.rows);
  const slowest = Math.max(...rows.map((row) => row.latency_ns));
  const users = (row) => row.choice ?
      model.networks.filter(
          (network) => network.width === table.width &&
              table.precision === formatOf(network.slots[Number(row.part.slice(4)) - 1] || '', model.precision) &&
              bare(network.slots[Number(row.part.slice(4)) - 1] || '') === bare(row.choice)) :
      [];
  const inFloat = list(model.run.table.tables)
                      .find((other) => other.width === table.width && other.precision === 'fp32' && other !== table);
  const title = 'Width ' + table.width + ', ' + table.precision + ': ' + rows.length + ' rows';
  const node = details(
      title,
      () => makeTable({
        caption: title +
            (isEstimate(model) ? '; ' + latencyName(model) + ', in ms, sizes in KiB' :
                                 '; latency in ms with its 95 % interval, sizes in KiB'),
        sortable: true,
        tall: true,
        columns: [
          {name: 'part'}, {name: 'choice'}, {name: 'latency', number: true}, {name: 'MACs, M', number: true},
          {name: 'weights', number: true}, {name: 'activations', number: true},
          {name: 'carried', number: true, title: 'feature maps kept for the head meanwhile'},
          {name: 'samples', number: true}, {name: 'steady'},
          ...(inFloat ?
                  [{name: 'v fp32', number: true, title: 'times as fast as in fp32; marked below ' + LEAST_SPEED_UP}] :
                  []),
          {name: 'chosen by'}
        ],
        rows: rows.map((row) => lookupRow(row, users(row), slowest, inFloat && list(inFloat.rows)))
      }));
  node.open = open;
  return node;
}

function lookupSection(model) {
  if (!model.run.table) return [missing('profile')];
  const width = model.baseline?.width;
  return list(model.run.table.tables)
      .map(
          (table, i) => lookupTable(
              model, table,
              width === undefined ? i === 0 : table.width === width && table.precision === model.precision));
}

// ---- Layers

// The largest difference from the reference interpreter, by output of each quantized artifact.
function deviationsTable(built) {
  const rows = built.flatMap(
      ({network, artifact}) =>
          list(artifact.deviations).map((deviation) => ({
                                          cells: [
                                            networkCell(network), artifact.precision,
                                            element('code', {}, deviation.output), fixed(deviation.max_lsb, 2),
                                            fixed(deviation.rms_lsb, 2), fixed(deviation.noise_lsb, 2),
                                            fixed(100 * deviation.share, 2) + ' %'
                                          ]
                                        })));
  if (!rows.length) return null;
  return makeTable({
    caption: 'Distance from the reference interpreter over the golden inputs, in steps (LSB) of each output',
    columns: [
      {name: 'network'}, {name: 'built for'}, {name: 'output'}, {name: 'largest, LSB', number: true},
      {name: 'rms, LSB', number: true}, {name: 'rms of int8 from float', number: true},
      {name: 'more than half an LSB', number: true}
    ],
    rows
  });
}

function layersSection(model) {
  const built =
      model.networks.flatMap((network) => list(network.evaluated?.artifacts).map((artifact) => ({network, artifact})));
  if (!built.length) return [missing('evaluate')];
  const kinds = [...new Set(built.flatMap(({artifact}) => Object.keys(artifact.layers || {})))].sort();
  const table = makeTable({
    caption: 'Layers by the precision that they run in',
    sortable: true,
    columns: [
      {name: 'network'}, {name: 'built for'}, ...kinds.map((kind) => ({name: kind, number: true})),
      {name: 'share of ' + (kinds.includes('i8') ? 'i8' : kinds[0]), number: true}, {name: 'file, KiB', number: true},
      {name: 'SHA-256'}
    ],
    rows: built.map(({network, artifact}) => {
      const total = Object.values(artifact.layers || {}).reduce((sum, count) => sum + count, 0);
      const share = 100 * (artifact.layers?.[kinds.includes('i8') ? 'i8' : kinds[0]] || 0) / total;
      return {
        cells: [
          networkCell(network), artifact.precision, ...kinds.map((kind) => artifact.layers?.[kind] || 0),
          {show: fixed(share, 0) + ' %', value: share}, {show: kib(artifact.bytes / 1024), value: artifact.bytes},
          element('code', {title: artifact.sha256}, String(artifact.sha256 || '').slice(0, 12))
        ]
      };
    })
  });
  const exact = built.map(({network, artifact}) => ({network, artifact, layers: model.run.layers?.[artifact.folder]}))
                    .filter(({layers}) => layers);
  const lists = exact.filter(({artifact}) => artifact.precision !== 'fp32').map(({network, artifact, layers}) => {
    const other = Object.entries(layers).filter(([, precision]) => precision !== 'i8' && precision !== 'u8');
    return {
      cells: [
        networkCell(network), artifact.precision, other.length,
        element(
            'code', {class: 'long'},
            other.map(([name, precision]) => name + ' (' + precision + ')').join(', ') || 'none')
      ]
    };
  });
  return [
    table, deviationsTable(built),
    lists.length ?
        details(
            'Layers that do not run in int8',
            () => makeTable({
              caption: 'Layers of quantized networks that run in another precision',
              columns: [{name: 'network'}, {name: 'built for'}, {name: 'layers', number: true}, {name: 'names'}],
              rows: lists
            })) :
        null
  ];
}
