'use strict';
// Device, settings, stages, and how to get the numbers again.

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
  const distill = run.study?.search?.quality === 'distill' ? ['distill'] : [];
  const order = ['profile', ...distill, 'search', 'verify', 'train', 'quantize', 'compile', 'evaluate'];
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

// Which part of setup the toolchain, device and executor need.
function setupOptions(study) {
  const device = String(study.target?.device || '');
  return [
    study.target?.toolchain === 'tvm' && ' --with-tvm', device.startsWith('ethos') && ' --with-vela',
    study.run?.executor === 'ray' && ' --with-ray'
  ].filter(Boolean)
      .join('');
}

// One command as the shell wants it; what is not plain stands in quotes.
const quoted = (text) => /^[\w./:@=+-]+$/.test(text) ? text : '\'' + String(text).replaceAll('\'', '\'\\\'\'') + '\'';

function commandsOf({run}) {
  const folder = quoted(run.study?.run?.folder || 'runs/' + (run.study?.name || ''));
  const lines = [
    [
      'install and build hot ' + document.querySelector('meta[name=generator]').content.replace(/^hot /, ''),
      'scripts/setup' + setupOptions(run.study || {})
    ],
    ['see what would run again', 'hot status ' + folder],
    ['all stages, or what is left of them', 'hot optimize ' + folder + '/study.json'],
    [
      'from nothing, beside the old results',
      'hot optimize ' + folder + '/study.json --set run.folder=' + folder + '-again'
    ],
    ['this page', 'hot report ' + folder]
  ];
  const width = Math.max(...lines.map(([, command]) => command.length));
  return lines.map(([why, command]) => command.padEnd(width) + '  # ' + why).join('\n');
}

function againNodes(model) {
  const text = commandsOf(model);
  const copy = element(
      'button', {
        type: 'button',
        class: 'plain',
        onclick: async (event) => {
          const button = event.currentTarget;
          await navigator.clipboard.writeText(text);
          button.textContent = 'Copied';
        }
      },
      'Copy');
  return [
    element('h3', {}, 'Get these numbers again'),
    element('pre', {tabindex: '0', role: 'region', 'aria-label': 'Commands'}, element('code', {}, text)),
    element(
        'div', {class: 'tools'}, copy,
        element(
            'button', {
              type: 'button',
              onclick: () => saveFile(fileName('run') + '.json', 'application/json', jsonText(model.run))
            },
            'All data of this page as JSON')),
    element(
        'p', {class: 'note'},
        'study.json is in the run folder, beside this page; paths in it are relative to the folder that hot was started in. ' +
            'The seed is ' + (model.run.study?.run?.seed ?? 0) + '. Only stages whose inputs changed run again.')
  ];
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
  return [
    element(
        'div', {class: 'settings'}, element('div', {}, element('h3', {}, 'Device'), device),
        element(
            'div', {}, element('h3', {}, 'Study'),
            settingsTable('Settings with all defaults filled in', flatten(study, '', [])))),
    element('h3', {}, 'Stages'), stagesTable(model.run), ...againNodes(model)
  ];
}
