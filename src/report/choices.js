'use strict';
// What each network puts into every slot.

function barOf(parts, longest) {
  const total = sumOf(parts);
  const share = (part) => 100 * part.ns / total;
  const text = (part) => part.part + (part.choice ? ' (' + shortChoice(part.choice) + ')' : '') + ' ' +
      milliseconds(part.ns) + ' ms, ' + fixed(share(part), 1) + ' %';
  return element(
      'div', {class: 'bar-track'},
      element(
          'div', {
            class: 'bar-parts',
            role: 'img',
            style: 'width:' + (100 * total / longest).toFixed(2) + '%',
            'aria-label': 'Share of predicted latency: ' + parts.map(text).join('; ')
          },
          parts.map(
              (part) => element(
                  'span', {
                    title: text(part),
                    style: 'width:' + share(part).toFixed(2) + '%;background:var(--' + partColour(part) + ')'
                  },
                  share(part) * total / longest > 4.5 ? part.part.replace('slot', '') : ''))));
}

function choiceRows(model, network, longest) {
  const parts = partsOf(model, network);
  const changed = (choice, i) => model.baseline && bare(choice) !== bare(model.baseline.slots[i] || '');
  const bar = parts.length ? element(
                                 'div', {class: 'bar-line'}, barOf(parts, longest),
                                 isNumber(network.latency_ns) ? milliseconds(network.latency_ns) + ' ms' : '') :
                             '–';
  const names = network.slots.map(
      (choice, i) => element(
          'td', {},
          element(
              'span', {
                title: 'slot ' + (i + 1) + ': ' + choice,
                class: changed(choice, i) || network.baseline ? 'choice changed' : 'choice',
                style: '--block:var(--' + blockColour(blockOf(choice)) + ')'
              },
              network.names[i])));
  return [
    element(
        'tr', {class: 'bar'}, element('th', {scope: 'rowgroup', rowspan: 2}, chip(network)),
        element('td', {colspan: network.slots.length}, bar)),
    element('tr', {class: 'names'}, names)
  ];
}

const BLOCK_NAMES = {
  irb: 'inverted residual (irb)',
  fused: 'fused inverted residual',
  sandglass: 'sandglass',
  other: 'other blocks',
  fixed: 'stem, tail and head'
};

function blockLegend(shown) {
  const used = new Set(shown.flatMap((network) => network.slots.map((choice) => blockColour(blockOf(choice)))));
  const keys = Object.entries(BLOCK_NAMES).filter(([name]) => name === 'fixed' || used.has(name));
  return element(
      'ul', {class: 'legend'},
      keys.map(
          ([name, text]) =>
              element('li', {class: 'key'}, element('i', {style: 'background:var(--' + name + ')'}), text)));
}

function choicesTable(model, shown, longest) {
  const slots = Math.max(...shown.map((network) => network.slots.length));
  const caption = 'Predicted ' + latencyName(model) + ', by part' + ofOnePass(model) + ', and the choice in every slot';
  const table = element(
      'table', {class: 'choices'}, element('caption', {}, caption),
      element(
          'thead', {},
          element(
              'tr', {}, element('th', {scope: 'col'}, 'network'),
              Array.from({length: slots}, (_, i) => element('th', {scope: 'col'}, 'slot ' + (i + 1))))),
      shown.map((network) => element('tbody', {}, choiceRows(model, network, longest))));
  const record = (network) => ({
    network: network.label,
    id: network.id,
    width: network.width,
    'predicted latency, ms': network.latency_ns / 1e6,
    ...Object.fromEntries(network.slots.map((choice, i) => ['slot ' + (i + 1), choice]))
  });
  return element(
      'div', {class: 'table'},
      element('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption}, table),
      tableTools(caption, () => shown.map(record)));
}

const MOST_CHOICES = 16;  // networks; the others are folded away

function choicesSection(model) {
  const shown = model.networks.filter((network) => network.slots.length);
  if (!shown.length) return [missing('search')];
  const longest = Math.max(...shown.map((network) => sumOf(partsOf(model, network))), 1);
  const important = (network) => network.baseline || isWinner(model, network);
  const ordered =
      shown.length <= MOST_CHOICES ? shown : [...shown.filter(important), ...shown.filter((n) => !important(n))];
  const rest = ordered.slice(MOST_CHOICES);
  return [
    blockLegend(shown), choicesTable(model, ordered.slice(0, MOST_CHOICES), longest),
    rest.length ? details('The other ' + rest.length + ' networks', () => choicesTable(model, rest, longest)) : null,
    element(
        'p', {class: 'note'},
        'The length of a bar is the plain sum of the table’s rows, the number beside it the corrected prediction. k is the kernel, e the expansion. ' +
            'Choices that differ from the baseline stand out.')
  ];
}
