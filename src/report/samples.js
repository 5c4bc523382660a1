'use strict';
// Test pictures with what the baseline and the winners find in them, side by side. Frames and joints are drawn over the
// small pictures that the stage evaluate has kept.

const SVG = 'http://www.w3.org/2000/svg';
const MATCH_IOU = 0.5;

function shape(tag, attributes, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text) node.textContent = text;
  return node;
}

function iou(a, b) {
  const side = (k) => Math.max(0, Math.min(a[k + 2], b[k + 2]) - Math.max(a[k], b[k]));
  const area = (box) => (box[2] - box[0]) * (box[3] - box[1]);
  const common = side(0) * side(1);
  return common / (area(a) + area(b) - common || 1);
}

// Detections (best first) and labels paired one to one: {found, wrong, missed}.
function matchBoxes(truth, objects) {
  const free = new Set(truth), found = [], wrong = [];
  for (const object of objects) {
    const best = [...free]
                     .filter((label) => label.label === object.label)
                     .sort((a, b) => iou(b.box, object.box) - iou(a.box, object.box))[0];
    const matches = best && iou(best.box, object.box) >= MATCH_IOU;
    if (matches) free.delete(best);
    (matches ? found : wrong).push(object);
  }
  return {found, wrong, missed: [...free]};
}

const frame = (box, kind) => shape(
    'rect',
    {x: box[0], y: box[1], width: Math.max(0, box[2] - box[0]), height: Math.max(0, box[3] - box[1]), class: kind});

function boxesOf(samples, picture, objects) {
  const {found, wrong, missed} = matchBoxes(list(picture.truth), objects);
  const size = picture.width / 26;
  const named = (object, kind) =>
      [frame(object.box, kind),
       shape(
           'text', {
             x: object.box[0] + 2,
             y: Math.max(size, object.box[1] - size / 4),
             class: kind,
             style: 'font-size:' + size.toFixed(1) + 'px'
           },
           samples.classes[object.label])];
  return {
    shapes: [
      ...missed.map((label) => frame(label.box, 'missed')), ...wrong.flatMap((o) => named(o, 'wrong')),
      ...found.flatMap((o) => named(o, 'found'))
    ],
    text: found.length + ' of ' + list(picture.truth).length + ' found' +
        (wrong.length ? ', ' + wrong.length + ' false' : '')
  };
}

function skeletonOf(samples, keypoints, kind) {
  const bones = list(samples.skeleton)
                    .map(([a, b]) => [keypoints[a], keypoints[b]])
                    .filter(([a, b]) => a && b && a[2] !== 0 && b[2] !== 0);
  const joints = list(keypoints).filter((joint) => joint && joint[2] !== 0);
  return [
    ...bones.map(([a, b]) => shape('line', {x1: a[0], y1: a[1], x2: b[0], y2: b[1], class: kind})),
    ...joints.map(([x, y]) => shape('circle', {cx: x, cy: y, r: 2.5, class: kind}))
  ];
}

// Joints are looked for in the labelled boxes, so that each prediction belongs to the object with its box.
function jointsOf(samples, picture, objects, threshold) {
  const asSeen = (joints) =>
      list(joints).map((joint) => joint && [joint[0], joint[1], 2]);  // a prediction has no visibility
  let right = 0, labelled = 0;
  for (const truth of list(picture.truth)) {
    const own = [...objects].sort((a, b) => iou(b.box, truth.box) - iou(a.box, truth.box))[0];
    const reach = threshold * Math.max(truth.box[2] - truth.box[0], truth.box[3] - truth.box[1]);
    list(truth.keypoints).forEach((joint, i) => {
      if (!joint || joint[2] === 0) return;
      labelled += 1;
      const told = own?.keypoints?.[i];
      if (told && Math.hypot(told[0] - joint[0], told[1] - joint[1]) <= reach) right += 1;
    });
  }
  return {
    shapes: [
      ...list(picture.truth).flatMap((t) => skeletonOf(samples, list(t.keypoints), 'missed')),
      ...objects.flatMap((o) => skeletonOf(samples, asSeen(o.keypoints), 'found'))
    ],
    text: right + ' of ' + labelled + ' joints right'
  };
}

function classOf(samples, picture, objects) {
  const told = objects[0], truth = picture.truth?.[0];
  if (!told) return {shapes: [], text: 'nothing told'};
  return {
    shapes: [],
    text: samples.classes[told.label] + ' (' + fixed(100 * told.score, 0) + ' %)' +
        (truth && truth.label !== told.label ? ', labelled ' + samples.classes[truth.label] : ', right')
  };
}

const pckThreshold = (model) => model.run.study?.train?.pck_threshold ?? 0.05;

function drawnOn(model, picture, prediction) {
  const {samples} = model.run, objects = list(prediction.objects);
  const kinds = {boxes: boxesOf, keypoints: jointsOf, classes: classOf};
  return kinds[samples.predicted](samples, picture, objects, pckThreshold(model));
}

function samplePicture(model, picture, prediction) {
  const network = model.byId.get(prediction.id), {shapes, text} = drawnOn(model, picture, prediction);
  const layer = shape('svg', {viewBox: '0 0 ' + picture.width + ' ' + picture.height, 'aria-hidden': 'true'});
  layer.append(...shapes);
  return element(
      'div', {class: 'sample'},
      element(
          'div', {class: 'picture'}, element('img', {
            src: picture.data,
            width: picture.width,
            height: picture.height,
            decoding: 'async',
            alt: 'Test picture ' + picture.name + ' with what ' + (network?.label || prediction.id) + ' finds: ' + text
          }),
          layer),
      element('p', {}, network ? chip(network) : prediction.id, text));
}

const SAMPLE_KEYS = {
  boxes: [['found', 'found'], ['wrong', 'false'], ['missed', 'missed']],
  keypoints: [['found', 'predicted'], ['missed', 'labelled']],
  classes: []
};

function sampleRow(model, picture) {
  const shown = list(picture.predictions).map((prediction) => samplePicture(model, picture, prediction));
  return element(
      'figure', {class: 'row'}, element('div', {class: 'side-by-side'}, shown),
      element('figcaption', {}, picture.name));
}

function samplesKey(predicted) {
  return element('ul', {class: 'legend samples-key'}, SAMPLE_KEYS[predicted].map(([name, text]) => {
    const svg = shape('svg', {width: 26, height: 12, viewBox: '0 0 26 12', 'aria-hidden': 'true'});
    svg.append(shape('line', {x1: 1, y1: 6, x2: 25, y2: 6, class: name}));
    return element('li', {class: 'key'}, svg, text);
  }));
}

const MOST_SHOWN = 4;  // where each is a line of its own; the others are folded away

function samplesSection(model) {
  const {samples} = model.run;
  if (!model.run.evaluation) return [missing('evaluate')];
  if (!samples) {
    return [element(
        'p', {class: 'missing'},
        'Left out: this run was evaluated before test pictures were kept. ' +
            'Delete stages/evaluate.json in its folder and run ',
        element('code', {}, 'hot optimize'), '.')];
  }
  const pictures = list(samples.pictures).filter((picture) => picture.data);
  const columns = Math.max(1, ...pictures.map((picture) => list(picture.predictions).length));
  const most = columns > 2 ? MOST_SHOWN : pictures.length;
  const grid = (some) => element(
      'div', {class: 'samples', style: '--columns:' + columns}, some.map((picture) => sampleRow(model, picture)));
  const rest = pictures.slice(most);
  const note = samples.precision + ', pictures at equal steps through the test set: nobody has picked them.' +
      (samples.predicted === 'boxes' ? ' Boxes with a score from ' + samples.score_at_least +
               ' on; found: of the right class with an overlap (IoU) of at least ' + MATCH_IOU + '.' :
                                       '') +
      (samples.predicted === 'keypoints' ? ' Right: within ' + pckThreshold(model) + ' of the box’s longer side.' : '');
  return [
    samplesKey(samples.predicted), grid(pictures.slice(0, most)),
    rest.length ? details(rest.length === 1 ? 'One more picture' : rest.length + ' more pictures', () => grid(rest)) :
                  null,
    element('p', {class: 'note'}, note)
  ];
}
