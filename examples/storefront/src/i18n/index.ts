import { computed, effect, signal } from '@preact/signals';
import type { Dictionary } from './dictionary.ts';
import { en } from './en.ts';

export const LANGUAGES = ['en', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];
const KEY = 'shop.language';

const current = signal<{ language: Language; dictionary: Dictionary }>({ language: 'en', dictionary: en });

export const language = computed(() => current.value.language);
/** The texts of the chosen language. Reading it in a component renders that again when it changes. */
export const texts = computed(() => current.value.dictionary);

/** Loads the texts of a language, and remembers it. */
export async function chooseLanguage(next: Language): Promise<void> {
  const dictionary = next === 'de' ? (await import('./de.ts')).de : en;
  current.value = { language: next, dictionary };
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Storage is blocked: it lasts until the next reload.
  }
}

/** To be awaited before the first render, so that no text is shown in two languages. */
export async function startLanguage(): Promise<void> {
  if (preferred() === 'de') await chooseLanguage('de').catch(() => undefined);
  effect(() => {
    document.documentElement.lang = language.value;
  });
}

function preferred(): Language {
  try {
    const kept = localStorage.getItem(KEY);
    if (kept === 'en' || kept === 'de') return kept;
  } catch {
    // As if nothing had been chosen.
  }
  const known = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag === 'de' || tag === 'en');
  return known === 'de' ? 'de' : 'en';
}
