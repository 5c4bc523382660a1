// The dashboard: what a study does just now, above the report, both asked for again and again. Only on the page that
// `hot dashboard` shows; the report has its data with it.

const POLL_MS = 2000;
const FOCUSABLE = 'a[href], button, select, input, summary, canvas, [tabindex]';

const shown = {
  model: null,
  stamps: {},
  status: null,
  curves: {}
};  // what the page has been drawn from

// ---- Drawing anew without disturbing the reader

// Text that is being selected in there would be lost.
function isSelecting(root) {
  const selection = document.getSelection();
  return !selection.isCollapsed && selection.containsNode(root, true);
}

// What is focused, unfolded and scrolled below `root` stays so while `change` replaces nodes there, found by its place
// among others of its kind.
function keepPlace(root, change) {
  const all = (selector) => [...root.querySelectorAll(selector)];
  const focused = all(FOCUSABLE).indexOf(document.activeElement);
  const open = all('details').map((node) => node.open);
  const scrolled = all('.scroll').map((node) => [node.scrollLeft, node.scrollTop]);
  change();
  all('details').forEach((node, i) => node.open = node.open || Boolean(open[i]));
  all('.scroll').forEach((node, i) => scrolled[i] && node.scrollTo(...scrolled[i]));
  if (focused >= 0) all(FOCUSABLE)[focused]?.focus({preventScroll: true});
}

// The section that the reader has in view stays where it is in the window.
function keepView(change) {
  const sections = [...document.querySelectorAll('main > section')];
  const inView =
      sections.find((section) => section.getBoundingClientRect().bottom > innerHeight / 3) || sections.at(-1);
  const before = inView.getBoundingClientRect().top;
  change();
  if (scrollY > 0) scrollBy({top: inView.getBoundingClientRect().top - before, behavior: 'instant'});
}

function fillPart(id, nodes) {
  const part = document.getElementById(id), fresh = element('div', {}, nodes);
  if (part.shown === fresh.innerHTML || isSelecting(part)) return;
  part.shown = fresh.innerHTML;
  keepPlace(part, () => part.replaceChildren(...fresh.childNodes));
}

// With other data; a point that was looked at with the keyboard stays so.
function redrawChart(figure) {
  if (!figure.chart) return;
  const at = figure.at === null ? null : visiblePoints(figure.chart)[figure.at];
  makeChart(figure);
  if (!at) return;
  showPoint(
      figure, visiblePoints(figure.chart).findIndex((p) => p.datasetIndex === at.datasetIndex && p.index === at.index));
}

// ---- The study

const stageText = (name) => 'the stage “' + name + '”';

function stateNodes({state, doing, stages}) {
  const next = stages.find((stage) => stage.state !== 'done');
  const again = [element('code', {}, 'hot optimize'), ' with the same study goes on from there.'];
  switch (state) {
    case 'running':
      return [strong('Running'), doing ? ': ' + stageText(doing.stage) + '.' : ': no stage is under way just now.'];
    case 'interrupted':
      return [strong('Interrupted'), ' in ' + stageText(doing.stage) + ': no process works here now. ', ...again];
    case 'partly done':
      return [
        strong('Not finished'), ', and no process works here now. What comes next is ' + stageText(next.stage) + '; ',
        ...again
      ];
    case 'finished':
      return [strong('Finished'), ': all stages are done. The verdict is below.'];
    default:
      return [strong('Not begun'), ': no stage has run here. ', element('code', {}, 'hot optimize'), ' begins.'];
  }
}

const STAGE_STATES = {
  done: 'done',
  running: 'running',
  interrupted: 'interrupted',
  earlier: 'done earlier',
  waiting: '–'
};

const secondsSince = (utc) => Math.max(0, (Date.now() - Date.parse(utc)) / 1000);

// A cell of a table.
function shareBar(done, total, label) {
  if (!(total > 0)) return '–';
  const share = Math.min(1, Math.max(0, done / total));
  const bar = element('progress', {max: '1', value: share.toFixed(4), 'aria-label': label});
  return {show: [bar, element('span', {class: 'share'}, Math.floor(100 * share) + ' %')], value: share};
}

function stageRow(stage, doing, isRunning) {
  const now = doing?.stage === stage.stage ? doing : null;
  const used = now ? isRunning && now.begun ? secondsSince(now.begun) : undefined : stage.seconds;
  return {
    class: now ? 'looked-at' : null,
    cells: [
      stage.stage, STAGE_STATES[stage.state], now ? shareBar(now.done, now.total, stage.stage + ', share done') : '',
      isNumber(used) ? duration(Math.round(used)) : '–',
      now && isRunning && isNumber(now.left_s) ? duration(Math.round(now.left_s)) : '–',
      now ? now.note || '' : stage.summary || ''
    ]
  };
}

const liveStagesTable = ({stages, doing, state}) => makeTable({
  caption: 'Stages. “Done earlier”: there are results of an earlier run, which is looked at when its turn comes',
  columns: [
    {name: 'stage'}, {name: 'state'}, {name: 'progress'}, {name: 'time used', number: true},
    {name: 'time left', number: true}, {name: 'what'}
  ],
  rows: stages.map((stage) => stageRow(stage, doing, state === 'running'))
});

// ---- Trainings

const TRIAL_STATES = ['running', 'interrupted', 'failed', 'paused', 'finished', 'pruned'];

const trialsOf = (train) => [...list(train?.trials), ...list(train?.fine_tunings)];

const networkOfTrial = (trial) => shown.model?.byId.get(trial.network);

function trialSentence(train) {
  const states = trialsOf(train).map((trial) => trial.state);
  const counts = TRIAL_STATES.map((state) => [states.filter((one) => one === state).length, state])
                     .filter(([count]) => count > 0)
                     .map(([count, state]) => count + ' ' + state);
  const best = train.best && isNumber(train.best.val_score) ?
      ' Best on validation so far: ' + points(train.best.val_score) + ' points.' :
      '';
  return train.begun + ' of ' + train.of + ' trainings begun: ' + counts.join(', ') + '.' + best;
}

function liveTrialRow(trial) {
  const network = networkOfTrial(trial);
  return {
    class: trial.state === 'running' ? 'looked-at' : null,
    cells: [
      element('code', {}, trial.trial), network ? chip(network) : trial.network || '–', trial.state,
      shareBar(trial.epochs, trial.of, trial.trial + ', epochs done'), trial.epochs + ' of ' + trial.of,
      isNumber(trial.val_score) ? points(trial.val_score) : '–'
    ]
  };
}

function trainingsNodes({train}) {
  const order = (trial) => TRIAL_STATES.indexOf(trial.state);
  return [
    element('h3', {}, 'Trainings'), element('p', {class: 'note'}, trialSentence(train)), makeTable({
      caption: 'Trainings; those that run now, one a worker, are shaded',
      tall: true,
      columns: [
        {name: 'trial'}, {name: 'network'}, {name: 'state'}, {name: 'progress'}, {name: 'epochs', number: true},
        {name: 'val, points', number: true}
      ],
      rows: trialsOf(train).sort((a, b) => order(a) - order(b)).map(liveTrialRow)
    })
  ];
}

const liveCurves = (key) => trialsOf(shown.status?.train).filter((trial) => shown.curves[trial.trial]).map((trial) => {
  const network = networkOfTrial(trial);
  return curveSet({
    curve: shown.curves[trial.trial],
    key,
    role: network?.role || 'baseline',
    name: (network ? network.label + ', ' : '') + trial.trial,
    strong: trial.state === 'running'
  });
});

// Charts stay as they are, with other data, as long as their legend fits.
function drawCurves() {
  const part = document.getElementById('study-curves'), sets = liveCurves('loss');
  const roles = sets.length ? [...new Set(sets.map((set) => set.role))].sort().join() : '';
  if (part.shown !== roles && !isSelecting(part)) {
    part.shown = roles;
    part.figures = [];
    const pair = () => curvePair({
      curves: liveCurves,
      score: scoreName(shown.model),
      strong: 'trainings that run now',
      onMake: (figure) => part.figures.push(figure)
    });
    keepPlace(part, () => part.replaceChildren(...(roles ? [pair()] : [])));
    forgetReplaced(true);
  } else {
    part.figures?.forEach(redrawChart);
  }
}

// ---- The device

const MEASURING = ['profile', 'verify', 'evaluate'];

function jobRow(job) {
  const what = job.state === 'queued' ? job.before + ' jobs before' : job.error || job.note || '';
  return {
    class: job.state === 'running' ? 'looked-at' : null,
    cells: [
      element('code', {}, job.job), job.state, shareBar(job.done, job.total, 'job ' + job.job + ', share done'),
      duration(Math.round(job.waited_s)), duration(Math.round(job.ran_s)), what
    ]
  };
}

const agentNodes = ({agent, error, jobs}) => error ? element('p', {class: 'warning'}, error) : makeTable({
  caption: 'Jobs of this user at ' + agent + ', newest first',
  columns: [
    {name: 'job'}, {name: 'state'}, {name: 'progress'}, {name: 'waited', number: true}, {name: 'ran', number: true},
    {name: 'what'}
  ],
  rows: jobs.map(jobRow)
});

function deviceNodes({device, queue, state, doing}) {
  const measures = state === 'running' && MEASURING.includes(doing?.stage);
  const what = measures ? doing.note || 'busy with ' + stageText(doing.stage) : 'nothing is measured now';
  return [
    element('h3', {}, 'Device'), element('p', {class: 'note'}, (device || 'not known yet') + ': ' + what + '.'),
    ...list(queue).map(agentNodes)
  ];
}

// ---- Asking

async function ask(what) {
  const answer = await fetch(what, {cache: 'no-store'});
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

function drawStatus(status) {
  shown.status = status;
  const trains = status.train && ['train', 'quantize'].includes(status.doing?.stage);
  fillPart('study-state', stateNodes(status));
  fillPart('study-stages', [liveStagesTable(status)]);
  fillPart('study-trainings', trains ? trainingsNodes(status) : []);
  fillPart('study-device', deviceNodes(status));
  document.getElementById('study-curves').hidden = !trains;
}

function drawData(run) {
  if (run.error) return run.error;
  const draw = () => shown.model = drawPage(run, shown.model?.selection.kept);
  const sections = [...document.querySelectorAll('main > section:not(#study)')];
  keepView(sections.reduce((change, section) => () => keepPlace(section, change), draw));
  forgetReplaced(true);
  return '';
}

function tell(problem) {
  fillPart('study-problem', problem ? [element('p', {class: 'warning'}, problem)] : []);
}

async function refresh() {
  const status = await ask('/status.json'), {data, curves} = status.stamps;
  let problem = shown.problem;
  if (data !== shown.stamps.data && !(shown.model && isSelecting(document.querySelector('main')))) {
    shown.problem = problem = drawData(await ask('/data.json'));
    shown.stamps.data = data;
  }
  drawStatus(status);
  if (shown.model && curves !== shown.stamps.curves) {
    shown.curves = await ask('/curves.json');
    shown.stamps.curves = curves;
    drawCurves();
  }
  tell(problem);
}

async function keepUpToDate() {
  try {
    if (!document.hidden || !shown.status) await refresh();
  } catch (error) {
    tell('The dashboard does not answer, so this page may be old. It is asked again: is hot dashboard still running?');
  }
  setTimeout(keepUpToDate, POLL_MS);
}

function addStudySection() {
  const part = (id, attributes = {}) => element('div', {id, ...attributes});
  document.querySelector('nav').prepend(element('a', {href: '#study'}, 'Study'));
  document.querySelector('main').prepend(element(
      'section', {id: 'study', 'aria-labelledby': 'study-title'}, element('h2', {id: 'study-title'}, 'Study'),
      part('study-problem', {role: 'alert'}), element('p', {id: 'study-state', class: 'answer', role: 'status'}),
      part('study-stages'), part('study-trainings'), part('study-curves'), part('study-device')));
}

if (isLive) {
  addStudySection();
  keepUpToDate();
}
