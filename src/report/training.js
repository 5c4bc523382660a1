'use strict';
// Learning curves and the trials of the hyper-parameter search.

// Curves as sets of a chart: {group, role, name, strong, data}. `key`: 'loss' or 'val'.
function curveSet({curve, key, role, name, strong}) {
  const scale = key === 'val' ? 100 : 1;
  return {
    group: role,
    role,
    name,
    strong,
    data: curve.epoch.map((epoch, i) => ({x: epoch, y: isNumber(curve[key][i]) ? scale * curve[key][i] : null}))
              .filter((point) => point.y !== null)
  };
}

// Of every network's best trial.
const bestCurves = (model, key) => model.networks.filter((network) => model.run.curves?.[network.trained?.best])
                                       .map((network) => curveSet({
                                              curve: model.run.curves[network.trained.best],
                                              key,
                                              role: network.role,
                                              name: network.label,
                                              strong: network.baseline || isWinner(model, network)
                                            }));

// `curves(key)` returns sets, and is asked again whenever the chart is drawn.
function curveChart({curves, key, title, label, strong, onMake = null}) {
  const sets = () => curves(key);
  const build = () => ({
    type: 'line',
    data: {
      datasets: sets().map((set) => ({
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
  const roles = Object.keys(MARKS).filter((role) => sets().some((set) => set.role === role));
  const legend = roles.map((role) => ({group: role, text: ROLE_NAMES[role], shape: MARKS[role], role}));
  const data = () => makeTable({
    caption: title + ', last value of each curve',
    sortable: true,
    columns: [{name: 'network'}, {name: 'epoch', number: true}, {name: title, number: true}],
    rows: sets()
              .filter((set) => set.data.length)
              .map((set) => ({
                     cells: [set.name, set.data.at(-1).x, {show: fixed(set.data.at(-1).y, 3), value: set.data.at(-1).y}]
                   }))
  });
  return chartFigure(
      {label, caption: label + '. Strong lines: ' + strong + '.', build, legend, data, size: 'small', onMake});
}

const timeCell = (seconds) => isNumber(seconds) ? {show: duration(seconds), value: seconds} : '–';

// What the trials differ in: the searched hyper-parameters, and the learning rate where nothing was searched.
const hyperParameters = (trials) => {
  const names = [...new Set(trials.flatMap((trial) => Object.keys(trial.point || {})))];
  return names.length ? names : ['lr', 'gamma'];
};
const pointOf = (trial, name) => trial.point?.[name] ?? trial[name];

function trialRow(network, trial, names) {
  const best = trial.trial === network.trained.best;
  const failed = trial.state === 'failed';
  return {
    class: best ? 'winner-row' : null,
    cells: [
      networkCell(network), element('code', {}, trial.trial),
      ...names.map((name) => ({show: String(pointOf(trial, name) ?? '–'), value: pointOf(trial, name)})),
      isNumber(trial.val_score) ? {show: points(trial.val_score), value: trial.val_score} : '–',
      isNumber(trial.train_loss) ? {show: fixed(trial.train_loss, 3), value: trial.train_loss} : '–',
      trial.epochs ?? '–', timeCell(trial.seconds), timeCell(trial.cpu_seconds),
      failed   ? element('span', {class: 'worse'}, 'failed: ' + (trial.error || '')) :
          best ? 'done, best' :
                 trial.state
    ]
  };
}

function trialsTable(trained, names) {
  return makeTable({
    caption: 'All trials; the best of each network, by validation score, is shaded',
    sortable: true,
    tall: true,
    columns: [
      {name: 'network'}, {name: 'trial'}, ...names.map((name) => ({name, number: true})),
      {name: 'val, points', number: true}, {name: 'training loss', number: true}, {name: 'epochs', number: true},
      {name: 'time', number: true, title: 'on the wall, while it trained'}, {
        name: 'CPU time',
        number: true,
        title: 'of all threads of the training, user and system: its cost on a shared machine'
      },
      {name: 'state'}
    ],
    rows: trained.flatMap((network) => list(network.trained.trials).map((trial) => trialRow(network, trial, names)))
  });
}

// Scores against one hyper-parameter; a rank where its values are no numbers.
function trialsChart(model, trained, names) {
  let shown =
      names.find(
          (name) => new Set(trained.flatMap((n) => list(n.trained.trials).map((t) => pointOf(t, name)))).size > 1) ||
      names[0];
  let figure = null;
  const values = () => [...new Set(trained.flatMap((n) => list(n.trained.trials).map((t) => pointOf(t, shown))))];
  const place = (value) => isNumber(value) ? value : values().map(String).sort().indexOf(String(value));
  const sets = () => trained.map(
      (network) => ({
        group: network.role,
        network,
        ...scatterStyle(network.role, MARKS[network.role], !isWinner(model, network) && !network.baseline),
        data: list(network.trained.trials)
                  .filter((trial) => isNumber(trial.val_score))
                  .map((trial) => ({x: place(pointOf(trial, shown)), y: 100 * trial.val_score, trial, network}))
      }));
  const isLog = () =>
      values().every((value) => isNumber(value) && value > 0) && Math.max(...values()) >= 4 * Math.min(...values());
  const lines = (p) =>
      [p.network.label + ', ' + p.trial.trial, ...names.map((name) => name + ' ' + pointOf(p.trial, name)),
       'val ' + fixed(p.y, 1) + ' points, ' + p.trial.state];
  const build = () => {
    const x = {...axisOptions(shown, isLog() ? undefined : limits('x')), type: isLog() ? 'logarithmic' : 'linear'};
    return {
      type: 'scatter',
      data: {datasets: sets()},
      options: {
        scales: {x, y: axisOptions('validation, points of ' + scoreName(model), limits('y'))},
        plugins: {tooltip: tooltipOptions(lines)}
      }
    };
  };
  const roles = Object.keys(MARKS).filter((role) => trained.some((network) => network.role === role));
  const chart = chartFigure({
    label: 'Scatter chart of the trials’ validation scores against a hyper-parameter',
    caption: 'Every trial with a score. Filled: baseline and winners.',
    build,
    size: 'small',
    legend: roles.map((role) => ({group: role, text: ROLE_NAMES[role], shape: MARKS[role], role})),
    onMake: (made) => figure = made
  });
  const field = choiceField({
    label: 'Hyper-parameter',
    options: names.map((name) => [name, name]),
    value: shown,
    onchange: (name) => {
      shown = name;
      makeChart(figure);
    }
  });
  return [element('div', {class: 'fields'}, field), chart];
}

function curvePair({curves, score, strong, onMake}) {
  return element(
      'div', {class: 'pair'},
      curveChart({curves, key: 'loss', title: 'training loss', label: 'Training loss by epoch', strong, onMake}),
      curveChart({
        curves,
        key: 'val',
        title: 'validation, points of ' + score,
        label: 'Validation score by epoch',
        strong,
        onMake
      }));
}

function trainingSection(model) {
  const trained = model.networks.filter((network) => network.trained);
  if (!model.run.train) return [missing('train')];
  const names = hyperParameters(trained.flatMap((network) => list(network.trained.trials)));
  const curves = Object.keys(model.run.curves || {}).length ?
      [curvePair({curves: (key) => bestCurves(model, key), score: scoreName(model), strong: 'baseline and winners'})] :
      [];
  return [
    ...curves, element('h3', {}, 'Hyper-parameter trials'), ...trialsChart(model, trained, names),
    trialsTable(trained, names)
  ];
}
