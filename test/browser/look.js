// Runs in the page: everything about it that can be seen to be wrong, as sentences.
() => {
  const faults = [];
  const told = node => `<${node.tagName.toLowerCase()}> “${(node.textContent ?? '').trim().slice(0, 40)}”`;

  const headings = document.querySelectorAll('h1');
  if (headings.length !== 1) faults.push(`${headings.length} h1`);
  if (document.title.trim() === '') faults.push('no title');
  if (document.documentElement.lang === '') faults.push('no language');
  const ids = [...document.querySelectorAll('[id]')].map(node => node.id);
  for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) faults.push(`the id ${id} stands there twice`);
  for (const node of document.querySelectorAll('[aria-describedby], [aria-labelledby]'))
    for (const id of `${node.getAttribute('aria-describedby') ?? ''} ${node.getAttribute('aria-labelledby') ?? ''}`.trim().split(/\s+/))
      if (document.getElementById(id) === null) faults.push(`${told(node)} is described by ${id}, which is not there`);
  for (const input of document.querySelectorAll('input, select, textarea')) {
    // What only password managers read is no input for people.
    const isApart = input.closest('[aria-hidden="true"]') !== null && input.tabIndex < 0;
    if (input.type === 'hidden' || isApart) continue;
    const name = [...(input.labels ?? [])].map(label => label.textContent).join(' ') || input.getAttribute('aria-label') || '';
    if (name.trim() === '') faults.push(`the input ${input.name} has no label`);
  }
  for (const node of document.querySelectorAll('a[href], button, summary'))
    if (`${node.textContent}${node.getAttribute('aria-label') ?? ''}`.trim() === '') faults.push(`${node.outerHTML.slice(0, 80)} has no name`);
  for (const node of document.querySelectorAll('[tabindex]')) if (node.tabIndex > 0) faults.push(`${told(node)} changes the order of focus`);
  const levels = [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(node => Number(node.tagName[1]));
  levels.forEach((level, at) => {
    if (at > 0 && level > levels[at - 1] + 1) faults.push(`h${level} follows h${levels[at - 1]}`);
  });

  // Colours as numbers, in whatever notation the style sheet has them.
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = color => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((part, at) => part * a + under[at] * (1 - a));
  const scheme = getComputedStyle(document.documentElement).colorScheme;
  const isDark = matchMedia('(prefers-color-scheme: dark)').matches;
  const backgroundOf = node => {
    const layers = [];
    for (let at = node; at !== null; at = at.parentElement) layers.unshift(rgba(getComputedStyle(at).backgroundColor));
    return layers.reduce((under, layer) => over(layer, under), isDark && scheme.includes('dark') ? [18, 18, 18] : [255, 255, 255]);
  };
  const luminance = color => {
    const [r, g, b] = color.map(part => part / 255).map(part => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const isShown = node => node.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && node.getClientRects().length > 0;
  // What is for screen readers only takes no room.
  const isUnseen = node => {
    for (let at = node; at !== null; at = at.parentElement) {
      const { width, height } = at.getBoundingClientRect();
      if (at !== document.body && width <= 1 && height <= 1) return true;
    }
    return false;
  };
  const seen = new Set();
  const measure = (node, style, what) => {
    if (seen.has(node) || !isShown(node) || isUnseen(node)) return;
    seen.add(node);
    let opacity = 1;
    for (let at = node; at !== null; at = at.parentElement) opacity *= Number(getComputedStyle(at).opacity);
    const behind = backgroundOf(node);
    const [r, g, b, a] = rgba(style.color);
    const ratio = contrast(over([r, g, b, a * opacity], behind), behind);
    const isDisabled = node.closest('[disabled]') !== null;
    if (ratio < 4.5 && !isDisabled) faults.push(`contrast ${ratio.toFixed(2)} of ${what}: ${style.color} (${isDark ? 'dark' : 'light'})`);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { parentElement: node, data } = texts.currentNode;
    if (data.trim() !== '' && node.closest('script, style, svg') === null) measure(node, getComputedStyle(node), told(node));
  }
  for (const input of document.querySelectorAll('input:not([type=hidden], [type=checkbox], [type=radio]), select, textarea'))
    measure(input, getComputedStyle(input), `the input ${input.name}`);
  return faults;
};
