'use strict';
// Numbers as text, and small builders of elements. Text always goes in as text, never as HTML: names in a run folder
// can be anything.

// Without data in it this is the dashboard's page, and a study may be running.
const isLive = document.getElementById('run-data').textContent === '';

const MINUS = '\u2212';
const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);
const signed = (value, digits) =>
    (isNumber(value) && !fixed(value, digits).startsWith(MINUS) ? '+' : '') + fixed(value, digits);
const milliseconds = (ns) => fixed(ns / 1e6, ns < 1e6 ? 3 : ns < 1e8 ? 2 : 1);
const points = (score) => fixed(100 * score, 1);
const kib = (value) => fixed(value, value < 100 ? 1 : 0);
const millions = (count) => fixed(count / 1e6, count < 1e7 ? 2 : 1);
const range = (low, high, format) => isNumber(low) && isNumber(high) ? format(low) + ' to ' + format(high) : '–';

function fixed(value, digits) {
  if (!isNumber(value)) return '–';
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace('-', '') : text.replace('-', MINUS);  // no "-0.0"
}

function duration(seconds) {
  if (!isNumber(seconds)) return '–';
  if (seconds < 60) return fixed(seconds, seconds < 10 ? 1 : 0) + ' s';
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? minutes + ' min' : Math.floor(minutes / 60) + ' h ' + (minutes % 60) + ' min';
}

function element(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function')
      node.addEventListener(name.slice(2), value);  // onclick, oninput, ...
    else
      node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ''));
  return node;
}

const missing = (stage) => isLive ?
    element('p', {class: 'missing'}, 'Comes with the stage “' + stage + '”.') :
    element(
        'p', {class: 'missing'}, 'Left out: the stage “' + stage + '” has not run in this folder. Run ',
        element('code', {}, 'hot optimize'), ' to go on from here.');

// What is folded away is made when it is opened for the first time: with many networks that is most of the page.
function details(summary, build) {
  const node = element('details', {}, element('summary', {}, summary));
  node.addEventListener('toggle', () => node.open && node.children.length === 1 && node.append(build()));
  return node;
}

// A labelled <select>: options are [value, text]; its update() changes both and keeps the focus.
function choiceField({label, options, value, onchange}) {
  const select = element('select', {onchange: (event) => onchange(event.currentTarget.value)});
  const field = element('label', {class: 'field'}, element('span', {}, label), select);
  field.update = (now, chosen) => {
    select.replaceChildren(...now.map(([key, text]) => element('option', {value: key}, text)));
    select.value = chosen;
  };
  field.update(options, value);
  return field;
}

// A cell is text, a node, or {show, value, title}: `value` is what its column sorts by.
function tableCell(column, cell, header) {
  const full = cell !== null && typeof cell === 'object' && !(cell instanceof Node) ? cell : {show: cell};
  const show = full.show === undefined || full.show === null ? '–' : full.show;
  const node = element(
      header ? 'th' : 'td', {class: column.number ? 'number' : null, scope: header ? 'row' : null, title: full.title},
      show);
  node.sortValue = full.value !== undefined ? full.value : node.textContent;
  node.exported = full.value !== undefined && full.value !== null ? full.value : plainText(show);
  node.note = node.querySelector('small')?.textContent || '';
  return node;
}

// Without the small print, which has a column of its own where a table is taken along.
const plainText =
    (show) => [show]
                  .flat()
                  .map(
                      (part) =>
                          part instanceof Node ? (part.nodeName === 'SMALL' ? '' : part.textContent) : String(part))
                  .join(' ')
                  .trim();

function sortBy(table, index, button) {
  const header = button.parentElement;
  const ascending = header.getAttribute('aria-sort') !== 'ascending';
  for (const other of header.parentElement.children) other.removeAttribute('aria-sort');
  header.setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
  const known = (value) => value !== null && value !== undefined && !Number.isNaN(value);
  const order = (a, b) => {
    const [x, y] = [a.children[index].sortValue, b.children[index].sortValue];
    if (!known(x) || !known(y)) return known(y) - known(x);  // what is not known goes last either way
    const less = typeof x === 'number' && typeof y === 'number' ?
        x - y :
        String(x).localeCompare(String(y), 'en', {numeric: true});
    return ascending ? less : -less;
  };
  const body = table.tBodies[0];
  body.append(...Array.from(body.rows).sort(order));
}

// columns: [{name, number, title}]; rows: [{cells, class}]. The first column heads its row.
function makeTable({caption, columns, rows, sortable = false, tall = false, mark = null}) {
  const table = element('table', {}, element('caption', {}, caption));
  const head = columns.map((column, index) => {
    const button = sortable ?
        element(
            'button',
            {type: 'button', title: column.title, onclick: (event) => sortBy(table, index, event.currentTarget)},
            column.name) :
        column.name;
    return element('th', {scope: 'col', class: column.number ? 'number' : null, title: column.title}, button);
  });
  table.append(
      element('thead', {}, element('tr', {}, head)),
      element(
          'tbody', {},
          rows.map(
              (row) => element(
                  'tr', {class: row.class},
                  row.cells.map((cell, index) => tableCell(columns[index], cell, index === 0))))));
  return element(
      'div', {class: 'table ' + (mark || '')},
      element(
          'div', {class: tall ? 'scroll tall' : 'scroll', tabindex: '0', role: 'region', 'aria-label': caption}, table),
      tableTools(caption, () => tableRecords(columns.map((column) => column.name), table)));
}

const withNote = (text, note) => [text, element('small', {}, note)];
