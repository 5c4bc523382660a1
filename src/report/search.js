'use strict';
// What the search space offers: the front, the price of a millisecond, what would do where nothing fits, and the scores
// of choices where the study distilled.

// A network's worth in the search: its mean score, or its MACs in millions.
const worthOf = (model, network) => isScored(model) ? network.quality : network.macs / 1e6;
const worthText = (model, value) => isScored(model) ? fixed(value, 3) : fixed(value, value < 10 ? 2 : 1) + ' M MACs';

// search.json has the table's sums, from before whole networks were measured: here they are corrected as these say,
// like the predictions of verify.json.
function correctedMs(model, width, latency_ns) {
  const fit = list(model.run.verify?.corrections).find((one) => one.width === width);
  return passesOf(model) * (fit ? fit.intercept_ns + fit.slope * latency_ns : latency_ns) / 1e6;
}

function frontSets(model) {
  const fronts = list(model.run.search?.fronts)
                     .map((front) => ({
                            group: 'front ' + front.width,
                            shape: 'line',
                            role: 'both',
                            text: 'Pareto front, width ' + front.width,
                            line: true,
                            data: list(front.points).map((network) => ({
                                                           x: correctedMs(model, front.width, network.latency_ns),
                                                           y: worthOf(model, network),
                                                           network,
                                                           label: ''
                                                         }))
                          }));
  const point = (network) => ({
    x: passesOf(model) * network.latency_ns / 1e6,
    y: worthOf(model, network),
    network,
    label: network.label,
    weight: network.baseline ? 1 : 0
  });
  const roles =
      Object.keys(MARKS).map((role) => ({
                               group: role,
                               shape: MARKS[role],
                               role,
                               text: ROLE_NAMES[role],
                               data: model.networks.filter((n) => n.role === role && isNumber(n.latency_ns)).map(point)
                             }));
  return [...roles, ...fronts]
      .map((set) => ({...set, data: set.data.filter((p) => isNumber(p.x) && isNumber(p.y))}))
      .filter((set) => set.data.length);
}

function frontChart(model) {
  const sets = frontSets(model), {selection} = model;
  const lines = (p) =>
      [p.network.label || 'on the front', 'predicted latency ' + fixed(p.x, 3) + ' ms', worthText(model, p.y),
       ...choiceLines({slots: list(p.network.slots)})];
  const style = (set) => set.line ? {
    type: 'line',
    borderColor: colour(set.role),
    backgroundColor: colour('paper'),
    borderWidth: 2,
    stepped: 'after',
    pointRadius: 3,
    pointHoverRadius: 6,
    order: 1
  } :
                                    scatterStyle(set.role, set.shape, false);
  const build = () => ({
    type: 'scatter',
    plugins: [pointLabels, budgetLine],
    data: {datasets: sets.map((set) => ({...set, ...style(set)}))},
    options: {
      scales: {
        x: axisOptions('predicted latency, ms', limits('x', [latencyBudget(model)])),
        y: axisOptions(isScored(model) ? 'mean score of slots' : 'MACs, M', limits('y'))
      },
      plugins: {
        tooltip: tooltipOptions(lines),
        budget: {value: selection.budget, text: isNumber(selection.budget) ? budgetText(selection.budget) : ''}
      }
    }
  });
  const data = () => makeTable({
    caption: 'Networks of the search, by predicted latency',
    sortable: true,
    columns: [
      {name: 'set'}, {name: 'network'}, {name: 'predicted latency, ms', number: true},
      {name: isScored(model) ? 'mean score' : 'MACs, M', number: true}, {name: 'slots'}
    ],
    rows: sets.flatMap(
        (set) => set.data.map((p) => ({
                                cells: [
                                  set.text, p.network.label || p.network.id || '–', {show: fixed(p.x, 3), value: p.x},
                                  {show: fixed(p.y, 3), value: p.y},
                                  element('span', {class: 'nowrap'}, list(p.network.slots).map(shortChoice).join(' · '))
                                ]
                              })))
  });
  const caption =
      (sets.some((set) => set.line) ?
           'By the table no network of the space is left and above of its width’s front: solved exactly, with proof. ' :
           '') +
      'MACs stand for accuracy until networks are trained' +
      (isScored(model) ? '; here the scores of distilled choices do.' : '.') +
      ' The dashed line is the budget from above.';
  return chartFigure({
    label: 'Chart of what the search space offers against predicted latency',
    caption,
    build,
    legend: sets,
    data,
    size: 'medium',
    onMake: (figure) => followBudget(figure, selection)
  });
}

function pricesTable(model) {
  const prices = list(model.run.search?.prices);
  if (!prices.length) return null;
  const scored = isScored(model), unit = scored ? 'quality' : 'macs';
  const amount = (value) => scored ? {show: fixed(value, 4), value} : {show: millions(value), value: value / 1e6};
  const cell = (price, kind, sign) => {
    const value = price[kind + '_' + unit];
    if (!isNumber(value)) return {show: 'no network is so fast', value: null};
    const note = scored ? '' : sign + fixed(100 * value / price.macs, 1) + ' %';
    return {...amount(value), show: withNote(sign + amount(value).show + (scored ? '' : ' M'), note)};
  };
  return makeTable({
    caption:
        'The price of a millisecond: what the best network gains from a looser budget, and loses from a tighter one, by the table',
    columns: [
      {name: 'width'}, {name: 'budget, ms', number: true}, {name: scored ? 'mean score' : 'MACs, M', number: true},
      {name: 'step, ms', number: true}, {name: 'step more buys', number: true}, {name: 'step less costs', number: true}
    ],
    rows: prices.map((price) => ({
                       cells: [
                         String(price.width), {show: fixed(price.latency_ms, 3), value: price.latency_ms},
                         amount(price[unit]), {show: fixed(price.step_ms, 3), value: price.step_ms},
                         cell(price, 'more', '+'), cell(price, 'less', MINUS)
                       ]
                     }))
  });
}

const LIMIT_UNITS = {
  latency_ms: 'ms',
  flash_kib: 'KiB',
  ram_kib: 'KiB',
  memory_kib: 'KiB'
};

function relaxationsTable(model) {
  const rows =
      list(model.run.search?.relaxations)
          .flatMap(
              (one) =>
                  list(one.budgets)
                      .map((budget) => ({
                             cells: [
                               String(one.width), 'search.' + budget.budget + ', ' + (LIMIT_UNITS[budget.budget] || ''),
                               {show: fixed(budget.limit, 3), value: budget.limit},
                               {show: '× ' + fixed(one.factor, 3), value: one.factor},
                               isNumber(budget.alone) ? {show: fixed(budget.alone, 3), value: budget.alone} :
                                                        'would not do',
                               budget.largest ? partName(budget.largest) +
                                       (budget.largest.choice ? ', ' + shortChoice(budget.largest.choice) : '') + ': ' +
                                       fixed(100 * budget.largest.share, 0) + ' %' :
                                                '–'
                             ]
                           })));
  if (!rows.length) return null;
  return makeTable({
    caption: 'Widths without a network within the budgets: the smallest relaxation that would do',
    columns: [
      {name: 'width'}, {name: 'budget'}, {name: 'is', number: true}, {name: 'all together', number: true},
      {name: 'alone', number: true}, {name: 'largest part'}
    ],
    rows
  });
}

// ---- Scores of choices (search.quality: distill)

function scoreShade(value, low, high) {
  const part = high > low ? (value - low) / (high - low) : 1;
  return 'background:color-mix(in srgb, var(--both) ' + Math.round(8 + 42 * Math.max(0, Math.min(1, part))) +
      '%, transparent)';
}

function scoresTable(one) {
  const slots = list(one.slots),
        names = [...new Set(slots.flatMap((slot) => list(slot.choices).map(({choice}) => bare(choice))))];
  const value = (slot, name) => list(slot.choices).find(({choice}) => bare(choice) === name);
  return makeTable({
    caption: 'Width ' + one.width + ': 1 gives what the trained baseline’s slot gives, 0 is no better than a constant',
    sortable: true,
    tall: true,
    columns: [{name: 'choice'}, ...slots.map((slot) => ({name: partName({part: slot.slot}), number: true}))],
    rows: names.map((name) => ({
                      cells: [
                        shortChoice(name), ...slots.map((slot) => {
                          const found = value(slot, name),
                                all = list(slot.choices).map(({quality}) => quality).filter(isNumber);
                          if (!found) return '–';
                          if (!isNumber(found.quality)) return {show: 'failed', value: null};
                          return {
                            show: element(
                                'span',
                                {class: 'score', style: scoreShade(found.quality, Math.min(...all), Math.max(...all))},
                                fixed(found.quality, 3)),
                            value: found.quality
                          };
                        })
                      ]
                    }))
  });
}

function searchSection(model) {
  const {search, distill} = model.run;
  if (!search) return [missing('search')];
  const scores = list(distill?.widths).filter((one) => list(one.slots).length);
  return [
    search.infeasible ?
        element('p', {class: 'warning'}, 'Not every width has a network within the budgets: ' + search.infeasible) :
        null,
    relaxationsTable(model), frontChart(model), pricesTable(model),
    ...(scores.length ?
            [
              element('h3', {}, 'Scores of choices'),
              element(
                  'p', {class: 'note'},
                  'How well each choice learned to imitate the trained baseline’s slot (search.quality: distill). The greener, the better in its slot.'),
              ...scores.map(scoresTable)
            ] :
            [])
  ];
}
