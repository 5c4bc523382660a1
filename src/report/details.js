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
  const measured = latency ? {
    value: latency.median_ns,
    show: withNote(milliseconds(latency.median_ns), latencyNote(latency))
  } :
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
  return details(title, makeTable({
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
      'Correct keypoints', makeTable({
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

// ---- Training

function curveChart(model, key, title, label) {
  const sets = model.networks.filter((network) => model.run.curves?.[network.trained?.best]).map((network) => {
    const curve = model.run.curves[network.trained.best];
    const scale = key === 'val' ? 100 : 1;
    return {
      group: network.role,
      role: network.role,
      name: network.label,
      strong: network.baseline || isWinner(model, network),
      data: curve.epoch.map((epoch, i) => ({x: epoch, y: isNumber(curve[key][i]) ? scale * curve[key][i] : null}))
                .filter((point) => point.y !== null)
    };
  });
  const build = () => ({
    type: 'line',
    data: {
      datasets: sets.map((set) => ({
                           ...set,
                           borderColor: withAlpha(colour(set.role), set.strong ? 1 : 0.45),
                           backgroundColor: colour(set.role),
                           borderWidth: set.strong ? 2.25 : 1.25,
                           pointRadius: key === 'val' && set.data.length < 30 ? 2.5 : 0,
                           pointStyle: MARKS[set.role],
                           pointHitRadius: 8,
                           parsing: false
                         }))
    },
    options: {
      interaction: {mode: 'nearest', intersect: false},
      scales: {x: axisOptions('epoch', limits('x')), y: axisOptions(title, limits('y'))},
      plugins: {
        tooltip: tooltipOptions(
            (point, set) => set.name + ', epoch ' + point.x + ': ' + fixed(point.y, key === 'val' ? 1 : 3))
      }
    }
  });
  const roles = Object.keys(MARKS).filter((role) => sets.some((set) => set.role === role));
  const legend = roles.map((role) => ({group: role, text: ROLE_NAMES[role], shape: MARKS[role], role}));
  const data = makeTable({
    caption: title + ', last value of each curve',
    sortable: true,
    columns: [{name: 'network'}, {name: 'epoch', number: true}, {name: title, number: true}],
    rows: sets.filter((set) => set.data.length)
              .map((set) => ({
                     cells: [set.name, set.data.at(-1).x, {show: fixed(set.data.at(-1).y, 3), value: set.data.at(-1).y}]
                   }))
  });
  return chartFigure(
      {label, caption: label + '. Strong lines: baseline and winners.', build, legend, data, size: 'small'});
}

const timeCell = (seconds) => isNumber(seconds) ? {show: duration(seconds), value: seconds} : '–';

function trialRow(network, trial, model) {
  const best = trial.trial === network.trained.best;
  const failed = trial.state === 'failed';
  return {
    class: best ? 'winner-row' : null,
    cells: [
      networkCell(network), element('code', {}, trial.trial), {show: String(trial.lr), value: trial.lr},
      {show: String(trial.gamma), value: trial.gamma},
      isNumber(trial.val_score) ? {show: points(trial.val_score), value: trial.val_score} : '–',
      isNumber(trial.train_loss) ? {show: fixed(trial.train_loss, 3), value: trial.train_loss} : '–',
      trial.epochs ?? '–', timeCell(trial.seconds), timeCell(trial.cpu_seconds),
      failed   ? element('span', {class: 'worse'}, 'failed: ' + (trial.error || '')) :
          best ? 'done, best' :
                 trial.state
    ]
  };
}

function trainingSection(model) {
  const trained = model.networks.filter((network) => network.trained);
  if (!model.run.train) return [missing('train')];
  const table = makeTable({
    caption: 'All trials; the best of each network, by validation score, is shaded',
    sortable: true,
    tall: true,
    columns: [
      {name: 'network'}, {name: 'trial'}, {name: 'lr', number: true, title: 'learning rate'},
      {name: 'gamma', number: true, title: 'decay of the learning rate'}, {name: 'val, points', number: true},
      {name: 'training loss', number: true}, {name: 'epochs', number: true},
      {name: 'time', number: true, title: 'on the wall, while it trained'},
      {name: 'CPU time', number: true, title: 'of all threads of the training, user and system: its cost on a shared machine'},
      {name: 'state'}
    ],
    rows: trained.flatMap((network) => list(network.trained.trials).map((trial) => trialRow(network, trial, model)))
  });
  const charts = Object.keys(model.run.curves || {}).length ?
      [element(
          'div', {class: 'pair'}, curveChart(model, 'loss', 'training loss', 'Training loss by epoch'),
          curveChart(model, 'val', 'validation, points of ' + scoreName(model), 'Validation score by epoch'))] :
      [];
  return [...charts, element('h3', {}, 'Hyper-parameter trials'), table];
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
  const node =
      details(title, makeTable({
                caption: title + (isEstimate(model) ? '; ' + latencyName(model) + ', in ms, sizes in KiB' :
                                                      '; latency in ms with its 95 % interval, sizes in KiB'),
                sortable: true,
                tall: true,
                columns: [
                  {name: 'part'}, {name: 'choice'}, {name: 'latency', number: true}, {name: 'MACs, M', number: true},
                  {name: 'weights', number: true}, {name: 'activations', number: true},
                  {name: 'carried', number: true, title: 'feature maps kept for the head meanwhile'},
                  {name: 'samples', number: true}, {name: 'steady'},
                  ...(inFloat ? [{
                    name: 'v fp32',
                    number: true,
                    title: 'times as fast as in fp32; marked below ' + LEAST_SPEED_UP
                  }] :
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
      ({network, artifact}) => list(artifact.deviations).map((deviation) => ({
                                                               cells: [
                                                                 networkCell(network), artifact.precision,
                                                                 element('code', {}, deviation.output),
                                                                 fixed(deviation.max_lsb, 2),
                                                                 fixed(deviation.rms_lsb, 2),
                                                                 fixed(deviation.noise_lsb, 2),
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
        details('Layers that do not run in int8', makeTable({
                  caption: 'Layers of quantized networks that run in another precision',
                  columns: [{name: 'network'}, {name: 'built for'}, {name: 'layers', number: true}, {name: 'names'}],
                  rows: lists
                })) :
        null
  ];
}

// ---- Environment

function flatten(value, prefix, out) {
  for (const [key, item] of Object.entries(value || {})) {
    if (item !== null && typeof item === 'object' && !Array.isArray(item))
      flatten(item, prefix + key + '.', out);
    else
      out.push([
        prefix + key,
        Array.isArray(item) ? item.map((v) => typeof v === 'object' ? JSON.stringify(v) : v).join(', ') :
            item === null   ? '–' :
                              String(item)
      ]);
  }
  return out;
}

const settingsTable = (caption, pairs) => makeTable({
  caption,
  tall: true,
  columns: [{name: 'name'}, {name: 'value'}],
  rows: pairs.map(([name, value]) => ({cells: [name, value === '' ? '–' : value]}))
});

function stagesTable(run) {
  const order = ['profile', 'search', 'verify', 'train', 'quantize', 'compile', 'evaluate'];
  const known = Object.keys(run.stages || {});
  const names = [...order, ...known.filter((name) => !order.includes(name))];
  return makeTable({
    caption: 'Stages',
    columns: [{name: 'stage'}, {name: 'time', number: true}, {name: 'finished'}, {name: 'result'}],
    rows: names.map(
        (name) => ({
          cells: known.includes(name) ?
              [name, duration(run.stages[name].seconds), run.stages[name].finished, run.stages[name].summary] :
              [name, '–', 'not yet', '']
        }))
  });
}

function environmentSection(model) {
  const {table, study} = model.run;
  const device = table ?
      settingsTable(
          'Device and toolchain',
          [
            ['device', table.device?.name], ['latency', latencyIs(model)], ...flatten(table.device?.info, '', []),
            ['fingerprint', table.device?.fingerprint], ['toolchain', table.toolchain + ' ' + table.toolchain_version],
            ['flags', table.flags], ['threads', String(table.threads)]
          ]) :
      missing('profile');
  const again = [
    element('h3', {}, 'Get these numbers again'), element('pre', {}, element('code', {}, 'hot optimize study.json')),
    element(
        'p', {class: 'note'},
        'study.json is in the run folder, beside this file; paths in it are relative to the folder that hot was started in. ' +
            'Only stages whose inputs changed run again.')
  ];
  return [
    element(
        'div', {class: 'settings'}, element('div', {}, element('h3', {}, 'Device'), device),
        element(
            'div', {}, element('h3', {}, 'Study'),
            settingsTable('Settings with all defaults filled in', flatten(study, '', [])))),
    element('h3', {}, 'Stages'), stagesTable(model.run), ...again
  ];
}
