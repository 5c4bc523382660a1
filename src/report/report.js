'use strict';
// Fills the page. A section that fails says so and leaves the others alone.

function fillSection(id, make, model) {
  const body = document.querySelector('#' + id + ' .body');
  try {
    body.replaceChildren(...make(model).filter(Boolean));
  } catch (error) {
    body.replaceChildren(
        element('p', {class: 'missing'}, 'This section could not be drawn from the run folder: ' + error.message));
  }
}

function subtitle({run}) {
  const {model, target} = run.study;
  const device = run.table?.device?.info?.cpu || run.table?.device?.name || target?.device;
  const widths = list(model?.width).join(', ');
  return [
    model && model.backbone + ' × ' + widths + ' ' + model.task + ', ' + list(model.input).join(' × '),
    target && list(target.precision).join(' and '),
    run.table ? run.table.toolchain + ' ' + run.table.toolchain_version : target?.toolchain, device,
    isEstimate({run}) && 'latency: ' + latencyIs({run})
  ].filter(Boolean)
      .join('  ·  ');
}

const SECTIONS = {
  verdict: verdictSection,
  tradeoff: tradeoffSection,
  samples: samplesSection,
  waterfall: waterfallSection,
  why: rivalsSection,
  choices: choicesSection,
  search: searchSection,
  prediction: predictionSection,
  networks: networksSection,
  training: trainingSection,
  quantization: quantizationSection,
  layers: layersSection,
  table: lookupSection,
  environment: environmentSection
};

// `kept`: what the reader had chosen in the page before, as in makeSelection().
function drawPage(run, kept = {}) {
  const model = buildModel(run, kept);
  document.getElementById('subtitle').textContent = subtitle(model);
  for (const [id, make] of Object.entries(SECTIONS)) fillSection(id, make, model);
  return model;
}

setUpCharts();
if (!isLive) drawPage(JSON.parse(document.getElementById('run-data').textContent));
