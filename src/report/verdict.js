'use strict';
// The verdict: one sentence, and the figures of the winners beside the baseline's.

const figureItem = (name, value, unit, ...lines) => element(
    'div', {}, element('dt', {}, name), element('dd', {class: 'value'}, value, ' ', element('small', {}, unit)),
    lines.map((line) => element('dd', {}, line)));

// ---- The sentence

const strong = (text) => element('strong', {}, text);

// What was shown of a network against the baseline: -1, 0 or 1 each; better is 1.
function shownGains(model, network) {
  const [artifact, base] = [network, model.baseline].map((n) => artifactOf(n, model.precision));
  const against = network.evaluated.against_baseline || {};
  const same = artifact.latency.samples !== 0 && overlap(artifact.latency, base.latency);
  return {
    latency: same ? 0 : Math.sign(base.latency.median_ns - artifact.latency.median_ns),
    accuracy: against.shown && Math.abs(against.difference) >= 5e-4 ? Math.sign(against.difference) :
                                                                      0  // seen in 0.1 points
  };
}

// The winners, the one with the most to show for it first.
const rankedWinners = (model) =>
    winnersOf(model)
        .map((winner) => ({...winner, gains: shownGains(model, winner.network)}))
        .sort((a, b) => b.gains.latency + b.gains.accuracy - a.gains.latency - a.gains.accuracy);

function latencyWords({latency}, artifact, base) {
  if (!latency) return 'No difference in latency shown';
  const change = Math.abs(100 * (artifact.latency.median_ns / base.latency.median_ns - 1));
  return fixed(change, change < 10 ? 1 : 0) + ' % ' + (latency > 0 ? 'less' : 'more') + ' latency';
}

const accuracyWords = ({accuracy}, network) => !accuracy ?
    'no loss of accuracy shown' :
    fixed(Math.abs(100 * network.evaluated.against_baseline.difference), 1) + ' points ' +
        (accuracy > 0 ? 'more' : 'less') + ' accurate';

// For who reads nothing else, of one network. Claims no more than evaluation.json's verdict, which stands below in
// full.
function headline(model) {
  const base = artifactOf(model.baseline, model.precision), [first] = rankedWinners(model);
  const device = model.run.table?.device, where = String(device?.info?.cpu || device?.name || '').split(',')[0];
  const place = (where ? ' on ' + where : '') + (isEstimate(model) ? ' by ' + latencyIs(model) : '');
  if (!first)
    return [
      strong('Keep the baseline'),
      ': no network that was found beats it within the budgets (' + milliseconds(base.latency.median_ns) + ' ms, ' +
          points(base.test.score) + ' points' + place + ').'
    ];
  const {network, gains} = first, artifact = artifactOf(network, model.precision);
  const times = milliseconds(artifact.latency.median_ns) + ' ms instead of ' + milliseconds(base.latency.median_ns) +
      ' ms' + place;
  if (!gains.latency && !gains.accuracy)
    return [
      'Network ', chip(network), ' is chosen, but ', strong('no gain over the baseline was shown'), ' (' + times + ').'
    ];
  return [
    strong(latencyWords(gains, artifact, base)),
    (gains.latency ? ' than' : ' against') + ' the baseline, ' + times + ', ',
    strong((gains.accuracy < 0 ? 'but ' : 'and ') + accuracyWords(gains, network)), ': network ', chip(network), '.'
  ];
}

// ---- Figures

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

// Use of memories, largest first: peaks as the vendor's tool estimates them, what the compiler has planned, and by how
// much the process grew that loaded and ran the network.
function memoryFigures(model, artifact) {
  const resident = isNumber(artifact.resident_kib) ? {resident_memory: artifact.resident_kib} : {};
  return [[artifact.estimated_peak_kib, latencyIs(model)], [artifact.planned_kib, 'planned'], [resident, 'measured']]
      .flatMap(
          ([sizes, source]) =>
              Object.entries(sizes || {})
                  .sort(([, a], [, b]) => b - a)
                  .map(([memory, size]) => figureItem(memory.replaceAll('_', ' ') + ', ' + source, kib(size), 'KiB')));
}

function winnerFigures(model, {network, titles}) {
  const [artifact, base] = [artifactOf(network, model.precision), artifactOf(model.baseline, model.precision)];
  return element(
      'div', {class: 'winner'}, element('h3', {}, titles.join('; '), chip(network), element('code', {}, network.id)),
      element(
          'dl', {class: 'figures'}, latencyFigure(model, artifact, base),
          accuracyFigure(model, network, artifact, base),
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
  if (!model.run.evaluation) {
    if (isLive) document.querySelector('#verdict .lead').textContent = 'No verdict yet.';
    return [missing('evaluate')];
  }
  const winners = rankedWinners(model);
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
  document.querySelector('#verdict .lead').replaceChildren(...headline(model));
  return [
    ...(winners.length ? winners.map((winner) => winnerFigures(model, winner)) : [baselineFigures(model)]),
    element('p', {class: 'note'}, model.run.evaluation.verdict + ' All figures are for ' + intro)
  ];
}
