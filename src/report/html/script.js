'use strict';
// Choosing among the leads. Without this script they are all there, and the form is not.
(() => {
  const form = document.getElementById('filter');
  if (!form) return;
  const search = document.getElementById('q');
  const shown = document.getElementById('shown');
  const none = document.getElementById('none');
  const KEYS = ['classes', 'actions', 'fields', 'agents'];
  const split = (text) => (text ? text.split(' ') : []);

  // Read once: what a lead says in lower case, and what it can be chosen by.
  const cards = [...document.querySelectorAll('#cards > article')].map((element) => {
    const { files } = element.dataset;
    const details = element.querySelector('details');
    const items = details ? [...details.querySelectorAll('li')] : [element];
    const rows = element.querySelector('dl');
    const file = split(files);
    return {
      element,
      details,
      says: details && rows ? rows.textContent.toLowerCase() : '',
      sets: KEYS.map((key) => new Set(split(element.dataset[key]))),
      leads: items.map((item, at) => ({ item, says: item.textContent.toLowerCase(), file: file[at] })),
    };
  });
  const total = cards.reduce((sum, card) => sum + card.leads.length, 0);
  const hide = (element, hidden) => {
    if (element.hidden !== hidden) element.hidden = hidden;
  };
  const chosen = (name) =>
    [...form.querySelectorAll(`input[name=${name}]:checked, select[name=${name}]`)].map((it) => it.value).filter(Boolean);

  const choose = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = KEYS.map(chosen);
    const [file] = chosen('files');
    let count = 0;
    for (const card of cards) {
      const fits = wanted.every((any, at) => !any.length || any.some((one) => card.sets[at].has(one)));
      let here = 0;
      for (const lead of card.leads) {
        const say = (word) => lead.says.includes(word) || card.says.includes(word);
        const fit = fits && (!file || lead.file === file) && words.every(say);
        if (card.details) hide(lead.item, !fit);
        if (fit) here += 1;
      }
      hide(card.element, here === 0);
      // A few leads out of many are what was looked for: they are shown, and put away again.
      if (card.details) {
        const few = here > 0 && here < card.leads.length && here <= 50;
        if (few && !card.details.open) card.details.open = card.opened = true;
        else if (!few && card.opened) card.details.open = card.opened = false;
      }
      count += here;
    }
    none.hidden = count > 0;
    const all = total === 1 ? '1 lead' : `${total} leads`;
    shown.textContent = count === total ? all : `${count} of ${all}`;
  };

  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      choose();
    });
  };
  const clear = () => {
    form.reset();
    choose();
  };

  form.addEventListener('input', soon);
  form.addEventListener('submit', (event) => event.preventDefault());
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === '/' && !event.target.closest('input:not([type=checkbox]), select')) {
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === 'Escape') {
      clear();
    }
  });
  // A link to a lead that is not shown, or put away, shows it.
  addEventListener('hashchange', () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target || !target.id.startsWith('lead-')) return;
    clear();
    const details = target.closest('details');
    if (details) details.open = true;
    target.scrollIntoView({ block: 'center' });
  });
  // On paper nothing can be opened.
  let closed = [];
  addEventListener('beforeprint', () => {
    closed = [...document.querySelectorAll('details:not([open])')];
    closed.forEach((details) => (details.open = true));
  });
  addEventListener('afterprint', () => closed.forEach((details) => (details.open = false)));

  form.hidden = false;
  form.reset();
  choose();
})();
