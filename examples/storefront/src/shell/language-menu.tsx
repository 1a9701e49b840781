import { chooseLanguage, LANGUAGES, type Language, language, texts } from '../i18n/index.ts';
import { sayFailure } from '../ui/toast.tsx';

export function LanguageMenu() {
  return (
    <select
      class="language"
      aria-label={texts.value.shop.language}
      value={language.value}
      onChange={(event) => void chooseLanguage(event.currentTarget.value as Language).catch(sayFailure)}
    >
      {LANGUAGES.map((tag) => (
        <option key={tag} value={tag} lang={tag}>
          {tag.toUpperCase()}
        </option>
      ))}
    </select>
  );
}
