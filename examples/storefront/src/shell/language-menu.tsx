import { chooseLanguage, LANGUAGES, type Language, language, texts } from '../i18n/index.ts';
import { sayFailure } from '../ui/toast.tsx';

export function LanguageMenu() {
  return (
    <select
      class="language"
      aria-label={texts.value.shop.language}
      value={language.value}
      onChange={({ currentTarget: menu }) =>
        void chooseLanguage(menu.value as Language).catch((failure: unknown) => {
          menu.value = language.value;
          sayFailure(failure);
        })
      }
    >
      {LANGUAGES.map((tag) => (
        <option key={tag} value={tag} lang={tag}>
          {tag.toUpperCase()}
        </option>
      ))}
    </select>
  );
}
