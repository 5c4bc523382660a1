'use strict';
// The run folder's files joined by network: {id, label, role, objectives, width, slots, predicted, verified, trained,
// evaluated, names}. `names` has the slots' choices for people; `role` is what colour and marker stand for: baseline,
// accuracy, latency or both.

const list = (value) => Array.isArray(value) ? value : [];

function roleOf(baseline, objectives) {
  if (baseline) return 'baseline';
  if (objectives.length > 1) return 'both';
  return objectives[0] === 'latency' ? 'latency' : 'accuracy';
}

// "A1", "L2": objective and rank; with the width where the study has several.
function labelOf(network, severalWidths) {
  if (network.baseline) return 'baseline';
  const rank = isNumber(network.rank) ? network.rank : '';
  return (network.objectives[0] === 'latency' ? 'L' : 'A') + rank + (severalWidths ? ' ×' + network.width : '');
}

function collectNetworks(run) {
  const networks = new Map();
  const add = (json, baseline, objectives) => {
    if (!json || !json.id) return;
    const known = networks.get(json.id) || {...json, baseline, objectives: []};
    networks.set(json.id, known);
    for (const objective of objectives) {
      if (!baseline && !known.baseline && !known.objectives.includes(objective)) known.objectives.push(objective);
    }
  };
  const source = run.verify || run.search || {};
  add(source.baseline, true, []);
  for (const candidate of list(source.candidates)) add(candidate, false, [candidate.objective]);
  for (const network of list(run.evaluation?.networks))
    add(network, network.role === 'baseline', list(network.objectives));
  return networks;
}

function buildModel(run, kept = {}) {
  const networks = collectNetworks(run);
  const severalWidths = new Set([...networks.values()].map((network) => network.width)).size > 1;
  const byId = (items) => new Map(list(items).map((item) => [item.id, item]));
  const [verified, trained, evaluated] =
      [byId(run.verify?.networks), byId(run.train?.networks), byId(run.evaluation?.networks)];
  const precision = list(run.study?.target?.precision)[0] || run.table?.tables?.[0]?.precision || '';
  for (const network of networks.values()) {
    network.role = roleOf(network.baseline, network.objectives);
    network.label = labelOf(network, severalWidths);
    network.verified = verified.get(network.id);
    network.trained = trained.get(network.id);
    network.evaluated = evaluated.get(network.id);
    network.slots = list(network.slots);
    network.names = network.slots.map(
        (choice) => shortChoice(choice) + (formatOf(choice, precision) === precision ? '' : ' ' + formatOf(choice)));
  }
  const all = [...networks.values()];
  const model = {
    run,
    networks: all,
    byId: networks,
    precision,
    baseline: all.find((network) => network.baseline),
    metric: run.evaluation?.metric || run.train?.metric || run.study?.train?.metric || 'score'
  };
  model.selection = makeSelection(model, kept);
  return model;
}

// What the reader has chosen: two networks to compare, a budget in ms, the network and the slot to look into. Sections
// that show one of them listen. `kept` has what was chosen in a page that this one takes the place of.
function makeSelection(model, kept) {
  const winner = (model.run.evaluation ? rankedWinners(model)[0]?.network : null) ||
      model.networks.find((network) => !network.baseline);
  const listeners = [];
  const isThere = ([key, value]) =>
      key === 'compared' ? value.every((id) => model.byId.has(id)) : key !== 'network' || model.byId.has(value);
  return {
    compared: [model.baseline?.id, winner?.id].filter(Boolean),
    budget: latencyBudget(model),
    network: winner?.id || model.baseline?.id,
    slot: Math.max(
        0, list(winner?.slots).findIndex((choice, i) => bare(choice) !== bare(model.baseline?.slots[i] || ''))),
    ...Object.fromEntries(Object.entries(kept).filter(isThere)),
    kept: {...kept},
    set(change) {
      Object.assign(this, change);
      Object.assign(this.kept, change);
      for (const listener of listeners) listener(this, change);
    },
    listen: (listener) => listeners.push(listener)
  };
}

const artifactOf = (network, precision) =>
    list(network?.evaluated?.artifacts).find((artifact) => artifact.precision === precision);

const winnerTexts = {
  accuracy: 'Most accurate within the budget',
  latency: 'Fastest without loss on validation'
};

// [{network, titles}]: a network that wins both is listed once.
function winnersOf(model) {
  const found = new Map();
  for (const [what, title] of Object.entries(winnerTexts)) {
    const network = model.byId.get(model.run.evaluation?.winners?.[what]);
    if (!network) continue;
    if (!found.has(network.id)) found.set(network.id, {network, titles: []});
    found.get(network.id).titles.push(title);
  }
  return [...found.values()];
}

const isWinner = (model, network) => Object.values(model.run.evaluation?.winners || {}).includes(network.id);

// Runs of the network that a score takes, which the evaluation's latencies count.
const passesOf = (model) => model.run.evaluation?.passes || 1;
const ofOnePass = (model) => passesOf(model) > 1 ? ' (one pass)' : '';

// "measured", or "estimate (Vela)" where there was no device to measure on.
const latencyIs = (model) => model.run.evaluation?.latency_is || model.run.table?.device?.latency_is || 'measured';
const isEstimate = (model) => latencyIs(model) !== 'measured';
// Of axes and columns: "latency", or "latency, estimate (Vela)".
const latencyName = (model) => isEstimate(model) ? 'latency, ' + latencyIs(model) : 'latency';
// Behind a latency in small print: its interval, which estimates have none of.
const latencyNote = (latency, format = milliseconds) =>
    latency.samples === 0 ? 'estimate' : range(latency.low_ns, latency.high_ns, format);

// The study's, for all passes of one score, or null. A ratio is to the baseline as it was measured with the others.
function latencyBudget(model) {
  const search = model.run.study?.search || {}, base = artifactOf(model.baseline, model.precision);
  if (isNumber(search.latency_ms) && base) return search.latency_ms;
  if (isNumber(search.latency_ratio) && base) return search.latency_ratio * judgedMs(base);
  const ofPass = (model.run.verify || model.run.search)?.budgets?.latency_ms;
  return isNumber(ofPass) ? passesOf(model) * ofPass : null;
}

// What budgets are about: the study's statistic (median, mean, 90th percentile).
const judgedMs = (artifact) => (artifact.latency.statistic_ns ?? artifact.latency.median_ns) / 1e6;

// Of the trained networks within a latency budget the one with the best score on val, of equals the first: how the
// stage evaluate chooses. Null where none is so fast.
function chosenWithin(model, budget_ms) {
  let best = null;
  for (const network of model.networks) {
    const artifact = artifactOf(network, model.precision);
    const val = artifact?.val?.[model.metric];
    if (!isNumber(val) || judgedMs(artifact) > budget_ms || artifact.ram?.keeps_budget === false) continue;
    if (!best || val > best.val) best = {network, artifact, val};
  }
  return best;
}

const nameOf = (model, id) => model.byId.get(id)?.label || id;

// What the points are of: "PCK@0.05", "keypoint AP (OKS)".
function scoreName(model) {
  const train = model.run.study?.train;
  if (model.metric === 'pck') return isNumber(train?.pck_threshold) ? 'PCK@' + train.pck_threshold : 'PCK';
  const names = findsKeypoints(model) ? {coco_ap: 'keypoint AP (OKS)', ap50: 'keypoint AP50 (OKS)'} :
                                        {coco_ap: 'COCO AP', ap50: 'AP50', voc07: 'VOC07 AP', top1: 'top-1 accuracy'};
  return names[model.metric] || model.metric;
}

const findsKeypoints = (model) => (model.run.evaluation?.predicted || model.run.train?.predicted) === 'keypoints';

// A choice without its precision: "irb-k3-e6".
const bare = (choice) => String(choice).split('@')[0];
const blockOf = (choice) => bare(choice).split('-')[0];
const shortChoice = (choice) => bare(choice).replace(/-k/, ' k').replace(/-e/, ' e');

// The number format of a choice: "int8".
const formatOf = (choice, otherwise) => String(choice || '').split('@')[1] || otherwise;

const blockColour = (block) => ['irb', 'fused', 'sandglass'].includes(block) ? block : 'other';

// The table of the network's width that has the choice, in its number format; without a choice in the study's.
const tableOf = (model, network, choice) =>
    list(model.run.table?.tables)
        .find((table) => table.width === network.width && table.precision === formatOf(choice, model.precision));

// The row of a part, of a slot that of the choice.
const rowOf = (table, part, choice) => {
  const rows = list(table?.rows).filter((row) => row.part === part);
  if (!choice) return rows[0];
  return rows.find((row) => row.choice === choice) || rows.find((row) => bare(row.choice) === bare(choice));
};

// Each part of a network with its row of the table: [{part, choice, slot, row, ns}] in the order of execution. `slot`
// counts from 0.
function partsOf(model, network) {
  const parts = [
    {part: 'decode'}, {part: 'resize'}, {part: 'stem'},
    ...network.slots.map((choice, slot) => ({part: 'slot' + (slot + 1), choice, slot})), {part: 'tail'}, {part: 'head'},
    {part: 'output'}
  ];
  return parts.map((part) => ({...part, row: rowOf(tableOf(model, network, part.choice), part.part, part.choice)}))
      .map((part) => ({...part, ns: part.row?.latency_ns}))
      .filter((part) => isNumber(part.ns));
}

// What a choice is worth: its score where the study distilled (distill.json), else MACs.
function qualityOf(model, width, slot, row) {
  const scores = list(model.run.distill?.widths).find((one) => one.width === width);
  const choices = list(list(scores?.slots).find((one) => one.slot === 'slot' + (slot + 1))?.choices);
  const scored = choices.find((one) => bare(one.choice) === bare(row.choice));
  return model.run.distill ? scored?.quality : row.macs;
}
const isScored = (model) => Boolean(model.run.distill);

const overlap = (a, b) => a && b && a.low_ns <= b.high_ns && b.low_ns <= a.high_ns;

const chip = (network) => element('span', {class: 'chip ' + network.role}, network.label);

const networkCell = (network) => ({show: [chip(network)], value: network.label});

function choiceLines(network) {
  const lines = [];
  for (let i = 0; i < network.slots.length; i += 4) {
    lines.push(network.names.slice(i, i + 4).map((name, k) => (i + k + 1) + ': ' + name).join('   '));
  }
  return lines;
}
