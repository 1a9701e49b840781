import { signal } from '@preact/signals';

export type Theme = 'light' | 'dark';
const KEY = 'shop.theme';
const system = matchMedia('(prefers-color-scheme: dark)');

/** What is shown: the choice of the visitor, else that of the system. */
export const theme = signal<Theme>(chosen() ?? ofSystem());

export function switchTheme(): void {
  theme.value = theme.value === 'dark' ? 'light' : 'dark';
  document.documentElement.dataset['theme'] = theme.value;
  try {
    localStorage.setItem(KEY, theme.value);
  } catch {
    // Storage is blocked: it lasts until the next reload.
  }
}

system.addEventListener('change', () => {
  if (chosen() === undefined) theme.value = ofSystem();
});

function chosen(): Theme | undefined {
  const name = document.documentElement.dataset['theme'];
  return name === 'light' || name === 'dark' ? name : undefined;
}

function ofSystem(): Theme {
  return system.matches ? 'dark' : 'light';
}
