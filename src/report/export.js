'use strict';
// Every table as CSV and as JSON: numbers in full, small print in a column of its own.

// [{column: value}], in the order in which the rows stand now.
function tableRecords(names, table) {
  const rows = Array.from(table.tBodies).flatMap((body) => Array.from(body.rows));
  const hasNote = names.map((_, i) => rows.some((row) => row.children[i]?.note));
  const keys = names.map((name, i) => names.indexOf(name) === i ? name : name + ' (' + (i + 1) + ')');
  return rows.map((row) => {
    const record = {};
    keys.forEach((key, i) => {
      const cell = row.children[i];
      record[key] = exportedValue(cell?.exported);
      if (hasNote[i]) record[key + ', note'] = exportedValue(cell?.note || '');
    });
    return record;
  });
}

function exportedValue(value) {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  const text = String(value ?? '').replaceAll(MINUS, '-').trim();
  return text === '–' ? null : text;
}

// RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe.
function csvText(records) {
  const field = (value) => {
    const text = value === null ? '' : typeof value === 'string' ? value.replace(/^(?=[=@])/, '\'') : String(value);
    return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  };
  const names = Object.keys(records[0] || {});
  return [names, ...records.map((record) => names.map((name) => record[name]))]
      .map((line) => line.map(field).join(',') + '\r\n')
      .join('');
}

const jsonText = (value) => JSON.stringify(value, null, 1) + '\n';

function saveFile(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], {type}));
  element('a', {href: address, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

const fileName = (caption) => document.querySelector('h1')
                                  .textContent.concat(' ', caption)
                                  .toLowerCase()
                                  .replace(/[^a-z0-9]+/g, '-')
                                  .slice(0, 60);

// `records`: called when a button is pressed.
function tableTools(caption, records) {
  const tool = (kind, type, write) => element(
      'button', {
        type: 'button',
        'aria-label': 'Save the table “' + caption + '” as ' + kind,
        onclick: () => saveFile(fileName(caption) + '.' + kind.toLowerCase(), type, write(records()))
      },
      kind);
  return element('div', {class: 'tools'}, tool('CSV', 'text/csv', csvText), tool('JSON', 'application/json', jsonText));
}
