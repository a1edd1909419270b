// Says whether the page looks as if it were to become another one. Runs in a world of its own beside the page's scripts.
if (!globalThis.savepageUnfinished) globalThis.savepageUnfinished = (() => {
  const maxNodes = 4000;
  const seen = e => {
    const r = e.getBoundingClientRect();
    return r.width > 3 && r.height > 3 && r.bottom > 0 && r.right > 0 && r.top < innerHeight && r.left < innerWidth &&
      e.checkVisibility({visibilityProperty: true, opacityProperty: true});
  };
  // What pages write where something is to come, in the languages that most are written in.
  const any = 'loading|please wait|one moment|just a moment|just a second|hang on|hold on|fetching|retrieving|processing|preparing|calculating|connecting|initiali[sz]ing|redirecting|wird geladen|lädt|laden|lade|bitte warten|einen moment|chargement|veuillez patienter|cargando|espere|por favor espere|carregando|aguarde|caricamento|attendere|bezig met laden|ładowanie|proszę czekać|загрузка|подождите|завантаження|yükleniyor|lütfen bekleyin|読み込み中|ロード中|お待ちください|加载中|正在加载|请稍候|載入中|로딩 ?중?|불러오는 중';
  const words = new RegExp(`^(?:${any})\\s*(?:\\.*|…|!)$|^(?:${any})\\s.{0,40}(?:\\.{2,}|…)$|^(?:please wait|bitte warten|veuillez patienter)\\b|^loading(?:\\s\\p{L}+){1,2}$|(?:\\bis loading|wird geladen|を読み込み中)\\s*(?:\\.*|…)$`, 'iu');
  const named = '[aria-busy="true"],progress:not([value]),[role="progressbar"]:not([aria-valuenow])';
  // Names that designers give to what turns or shimmers while something is loading.
  const hint = '[class*="spinner" i],[class*="skeleton" i],[class*="loader" i],[class*="loading" i],[class*="shimmer" i],[class*="placeholder" i],[id*="loader" i],[id*="loading" i],[id*="spinner" i]';
  const turns = e => e.getAnimations({subtree: true}).some(a => a.playState === 'running' && a.effect.getComputedTiming().endTime === Infinity);
  const says = () => {
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let n = 0, t; n < maxNodes && (t = walk.nextNode()); n++) {
      const text = t.data.trim();
      if (text && text.length <= 60 && words.test(text) && !/^(script|style|noscript|template|textarea|option)$/.test(t.parentElement.localName) && seen(t.parentElement)) return true;
    }
    return false;
  };
  const loading = () => !!document.body && ([...document.querySelectorAll(named)].slice(0, 50).some(seen) ||
    [...document.querySelectorAll(hint)].slice(0, 100).some(e => turns(e) && seen(e)) || says());
  // covered: one thing that says little lies over the whole window, and something else is below it.
  const covered = () => {
    const across = [0.06, 0.5, 0.94].map(x => x * innerWidth), down = [0.06, 0.5, 0.94].map(y => y * innerHeight);
    let top = document.elementFromPoint(across[1], down[1]);
    const lies = e => /fixed|absolute/.test(getComputedStyle(e).position);
    for (; top && top !== document.body && top !== document.documentElement; top = top.parentElement) if (lies(top)) {
      const r = top.getBoundingClientRect();
      if (r.left < 2 && r.top < 2 && r.right > innerWidth - 2 && r.bottom > innerHeight - 2) break;
    }
    if (!top || top === document.body || top === document.documentElement || top.innerText.length > 200) return false;
    return across.every(x => down.every(y => top.contains(document.elementFromPoint(x, y)))) && document.body.innerText.length > top.innerText.length;
  };
  // sparse: there is hardly anything yet.
  const sparse = () => {
    const body = document.body;
    if (!body) return true;
    if (body.innerText.length > 250) return false;
    return ![...body.querySelectorAll('img,canvas,svg,video,iframe,object,embed')].slice(0, 100).some(e => { const r = e.getBoundingClientRect(); return r.width * r.height > 10000; });
  };
  // look asks only as far as it matters: with what the page waits for, or what lies over it.
  const look = timed => ({loading: loading(), changes: timed && (sparse() || covered())});
  return {
    look,
    // after is another question, and then this one.
    after: ask => async (...args) => {
      const is = await ask(...args);
      return {...is, looks: look(is.later?.soon >= 0)};
    },
  };
})();
