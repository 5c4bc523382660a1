'use strict';
// Where a network's time and memory go, part by part, and why a slot has the block that it has: the rows of the table
// that it was chosen from.

const partName = ({part}) => part.replace('slot', 'slot ');
const activationKib = (row) => ((row.peak_bytes || 0) + (row.carried_bytes || 0)) / 1024;
const partColour = (part) => part.choice ? blockColour(blockOf(part.choice)) : 'fixed';
const sumOf = (parts) => parts.reduce((total, part) => total + part.ns, 0);

// A bar from `from` to `to`, and a thin one for the baseline below it; all in parts of `whole`.
function spanBar(own, other, whole, background) {
  const bar = (name, [from, to], style = '') => element('i', {
    class: name,
    style:
        'left:' + (100 * from / whole).toFixed(2) + '%;width:' + (100 * (to - from) / whole).toFixed(2) + '%;' + style
  });
  return element(
      'span', {class: 'span', 'aria-hidden': 'true'}, bar('own', own, 'background:var(--' + background + ')'),
      other ? bar('other', other) : null);
}

// [from, to] of every part, one behind the other.
function spansOf(parts) {
  let end = 0;
  return parts.map((part) => [end, end += part.ns]);
}

function waterfallRow(model, part, own, then, scale) {
  const {selection} = model;
  const choice = part.choice ? element(
                                   'button', {
                                     type: 'button',
                                     class: 'choice-button',
                                     'aria-label': 'Why ' + shortChoice(part.choice) + ' in ' + partName(part),
                                     'aria-pressed': String(selection.slot === part.slot),
                                     onclick: () => selection.set({slot: part.slot})
                                   },
                                   shortChoice(part.choice)) :
                               '–';
  const change = then ? (part.ns - then.part.ns) / 1e6 : null, memory = activationKib(part.row);
  return {
    class: part.slot === selection.slot ? 'looked-at' : null,
    cells: [
      partName(part), {show: choice, value: part.choice ? bare(part.choice) : ''},
      {show: spanBar(own, then?.span, scale.ns, partColour(part)), value: own[0] / 1e6},
      {show: milliseconds(part.ns), value: part.ns / 1e6}, {
        show: change === null || Math.abs(change) < 5e-7 ? '–' :
                                                           element('span', {class: toneOf(change)}, signed(change, 3)),
        value: change
      },
      {
        show: spanBar(
            [0, memory], then && [0, activationKib(then.part.row)], scale.kib,
            memory === scale.peak ? 'latency' : 'fixed'),
        value: memory
      },
      {show: [memory === scale.peak ? element('small', {}, 'peak ') : '', kib(memory)], value: memory},
      {show: kib(part.row.weight_bytes / 1024), value: part.row.weight_bytes / 1024}
    ]
  };
}

function waterfall(model, network) {
  const parts = partsOf(model, network), spans = spansOf(parts);
  const beside = network.baseline || !model.baseline ? [] : partsOf(model, model.baseline),
        besideSpans = spansOf(beside);
  const same = (part) => beside.findIndex((other) => other.part === part.part);
  const memories = parts.map((part) => activationKib(part.row));
  const scale = {
    ns: Math.max(spans.at(-1)[1], besideSpans.at(-1)?.[1] || 0),
    kib: Math.max(...memories, ...beside.map((part) => activationKib(part.row))),
    peak: Math.max(...memories)
  };
  const rows = parts.map((part, i) => {
    const j = same(part);
    return waterfallRow(model, part, spans[i], j < 0 ? null : {part: beside[j], span: besideSpans[j]}, scale);
  });
  return makeTable({
    caption: network.label + ', ' + model.precision + ': parts in the order in which they run' + ofOnePass(model) +
        (beside.length ? '; thin grey bars: the baseline' : ''),
    mark: 'waterfall',
    columns: [
      {name: 'part'}, {name: 'choice'}, {name: 'time, one part after the other', title: 'starts at, ms'},
      {name: latencyName(model) + ', ms', number: true}, {name: 'v baseline', number: true},
      {name: 'activations', title: 'the part’s own and those kept for the head meanwhile'}, {name: 'KiB', number: true},
      {name: 'weights, KiB', number: true}
    ],
    rows
  });
}

function waterfallNote(model, network) {
  const sum = sumOf(partsOf(model, network));
  const whole = network.verified?.measured_ns;
  return 'Sum of the rows ' + milliseconds(sum) + ' ms' +
      (isNumber(network.latency_ns) ? ', corrected prediction ' + milliseconds(network.latency_ns) + ' ms' : '') +
      (isNumber(whole) ?
           ', the whole network ' + (isEstimate(model) ? 'by estimate ' : 'measured ') + milliseconds(whole) + ' ms' :
           '') +
      '. The network needs as much memory for activations as its peak. Press a choice to see its rivals below.';
}

const networkOptions = (model) => model.networks.filter((n) => partsOf(model, n).length)
                                      .map((n) => [n.id, n.label + (isWinner(model, n) ? ' (winner)' : '')]);

const networkField = (model) => choiceField({
  label: 'Network',
  options: networkOptions(model),
  value: model.selection.network,
  onchange: (id) => model.selection.set({network: id})
});

// Fills `body` anew when what the reader looks into changes; a button that was pressed keeps the focus.
function follow(model, body, draw) {
  const show = () => {
    const pressed = body.contains(document.activeElement) ? document.activeElement.getAttribute('aria-label') : null;
    body.replaceChildren(...draw(model.byId.get(model.selection.network)));
    if (pressed)
      [...body.querySelectorAll('[aria-label]')].find((b) => b.getAttribute('aria-label') === pressed)?.focus();
  };
  model.selection.listen((_, change) => ('network' in change || 'slot' in change) && show());
  show();
}

function waterfallSection(model) {
  if (!model.run.table) return [missing('profile')];
  if (!networkOptions(model).length) return [missing('search')];
  const field = networkField(model), body = element('div', {});
  follow(model, body, (network) => {
    field.querySelector('select').value = network.id;
    return [waterfall(model, network), element('p', {class: 'note'}, waterfallNote(model, network))];
  });
  return [element('div', {class: 'fields'}, field), body];
}

// ---- Why this block

// What would become of the network with this row instead of its own, all else as it is: by the table alone.
function whyNot(model, network, row, own, worth) {
  if (row === own) return 'chosen';
  if (row.searched === false) return 'not in the search space';
  const slope = list(model.run.verify?.corrections).find((fit) => fit.width === network.width)?.slope ?? 1;
  const change_ms = slope * (row.latency_ns - own.latency_ns) / 1e6;
  const budget = (model.run.verify || model.run.search)?.budgets?.latency_ms;
  const over = network.latency_ns / 1e6 + change_ms - budget;
  const less = worth(row) < worth(own), what = isScored(model) ? 'scores lower' : 'fewer MACs';
  if (change_ms >= 0 && less) return 'slower, and ' + what;
  if (network.role === 'latency' && change_ms > 0) return 'slower';
  if (isNumber(over) && over > 0) return fixed(over, 3) + ' ms over the budget';
  return less ? what : 'would fit by prediction';
}

function rivalRow(model, network, row, own, baseline, worth) {
  const change = (row.latency_ns - own.latency_ns) / 1e6, score = worth(row);
  const tags = [row === own ? chip(network) : null, row === baseline && row !== own ? chip(model.baseline) : null];
  return {
    class: row === own ? 'winner-row' : null,
    cells: [
      {show: [element('span', {class: 'nowrap'}, shortChoice(row.choice) + ' '), ...tags], value: bare(row.choice)},
      element('span', {class: 'nowrap'}, whyNot(model, network, row, own, worth)),
      {show: withNote(milliseconds(row.latency_ns), row === own ? '' : signed(change, 3)), value: row.latency_ns / 1e6},
      {show: millions(row.macs), value: row.macs / 1e6},
      ...(isScored(model) ? [{show: fixed(score, 3), value: score}] : []),
      {show: kib(row.weight_bytes / 1024), value: row.weight_bytes / 1024},
      {show: kib(activationKib(row)), value: activationKib(row)}
    ]
  };
}

function rivalsTable(model, network, slot, rows, own, baseline, worth) {
  return makeTable({
    caption: 'All choices of slot ' + (slot + 1) + ' at width ' + network.width +
        ', fastest first; small print: ms v chosen',
    sortable: true,
    tall: true,
    columns: [
      {name: 'choice'}, {name: 'instead'}, {name: latencyName(model) + ', ms', number: true},
      {name: 'MACs, M', number: true},
      ...(isScored(model) ? [{name: 'score', number: true, title: 'search.quality: distill'}] : []),
      {name: 'flash', number: true, title: 'weights, KiB'}, {name: 'RAM', number: true, title: 'activations, KiB'}
    ],
    rows: rows.map((row) => rivalRow(model, network, row, own, baseline, worth))
  });
}

const worthName = (model) => isScored(model) ? 'score (distilled)' : 'MACs, M';

function rivalsChart(model, network, slot, rows, own, baseline, worth) {
  const point = (row) => ({
    x: row.latency_ns / 1e6,
    xLow: row.low_ns / 1e6,
    xHigh: row.high_ns / 1e6,
    y: isScored(model) ? worth(row) : worth(row) / 1e6,
    row,
    label: shortChoice(row.choice),
    weight: row === own ? 1 : 0
  });
  const sets =
      [
        {
          group: 'rivals',
          data: rows.filter((row) => row !== own && row !== baseline),
          shape: 'circle',
          role: 'muted',
          text: 'rivals',
          hollow: true
        },
        {
          group: 'baseline',
          data: baseline && baseline !== own ? [baseline] : [],
          shape: MARKS.baseline,
          role: 'baseline',
          text: 'baseline'
        },
        {
          group: 'chosen',
          data: [own],
          shape: MARKS[network.role],
          role: network.role,
          text: 'chosen by ' + network.label
        }
      ].filter((set) => set.data.length)
          .map((set) => ({...set, data: set.data.map(point).filter((p) => isNumber(p.y))}));
  const lines = (p) =>
      [shortChoice(p.row.choice), 'latency ' + fixed(p.x, 3) + ' ms  (' + latencyNote(p.row) + ')',
       worthName(model) + ' ' + fixed(p.y, isScored(model) ? 3 : 2), whyNot(model, network, p.row, own, worth)];
  return chartFigure({
    label: 'Scatter chart of the choices of slot ' + (slot + 1) + ': ' + worthName(model) + ' against latency',
    caption:
        'Up and to the left is better. The search maximizes the sum over slots within the budget, so a single slot may look modest.',
    legend: sets,
    size: 'medium',
    build: () => ({
      type: 'scatter',
      plugins: [whiskers, pointLabels],
      data: {datasets: sets.map((set) => ({...set, ...scatterStyle(set.role, set.shape, set.hollow)}))},
      options: {
        scales: {
          x: axisOptions(latencyName(model) + ' of the slot, ms', limits('x')),
          y: axisOptions(worthName(model), limits('y'))
        },
        plugins: {tooltip: tooltipOptions(lines)}
      }
    })
  });
}

function rivals(model, network) {
  const {slot} = model.selection;
  const table = tableOf(model, network, network.slots[slot]),
        own = rowOf(table, 'slot' + (slot + 1), network.slots[slot]);
  if (!own) return [element('p', {class: 'missing'}, 'The table has no row of this slot.')];
  const rows = list(table.rows).filter((row) => row.part === own.part).sort((a, b) => a.latency_ns - b.latency_ns);
  const baseline = model.baseline?.width === network.width ? rowOf(table, own.part, model.baseline.slots[slot]) : null;
  const worth = (row) => qualityOf(model, network.width, slot, row);
  const rest = [network, slot, rows, own, baseline, worth];
  const faster = rows.filter((row) => row.latency_ns < own.latency_ns),
        better = faster.filter((row) => worth(row) > worth(own));
  const count = (some) => some.length === 0 ? 'none is' : some.length === 1 ? 'one is' : some.length + ' are';
  const summary = shortChoice(own.choice) + ' takes ' + milliseconds(own.latency_ns) + ' ms. Of its ' +
      (rows.length - 1) + ' rivals ' + count(faster) + ' faster' +
      (faster.length ? ', and ' + count(better) + ' faster with ' + (isScored(model) ? 'a higher score' : 'more MACs') :
                       '') +
      '.';
  forgetReplaced();
  return [
    element('p', {class: 'answer'}, summary),
    element('div', {class: 'pair wide-right'}, rivalsChart(model, ...rest), rivalsTable(model, ...rest))
  ];
}

const slotOptions = (network) => network.names.map((name, i) => [String(i), (i + 1) + ': ' + name]);

function rivalsSection(model) {
  const {selection} = model, network = model.byId.get(selection.network);
  if (!model.run.table) return [missing('profile')];
  if (!network?.slots.length) return [missing('search')];
  const fields = [
    networkField(model), choiceField({
      label: 'Slot',
      options: slotOptions(network),
      value: String(selection.slot),
      onchange: (slot) => selection.set({slot: Number(slot)})
    })
  ];
  const body = element('div', {});
  follow(model, body, (chosen) => {
    fields[0].querySelector('select').value = chosen.id;
    fields[1].update(slotOptions(chosen), String(selection.slot));
    return rivals(model, chosen);
  });
  return [element('div', {class: 'fields'}, fields), body];
}
