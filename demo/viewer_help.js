// The help sheet: every key and gesture, in groups.

const HELP = {
  help_views: [["1 – 6", "key_view"], ["S", "layout_side"], ["T", "layout_stack"], ["G", "layout_grid"], ["K", "link"], ["F", "full_screen"]],
  help_zoom: [["gesture_wheel", "key_zoom"], ["+ −", "key_zoom_middle"], ["gesture_drag", "key_pan"], ["0", "fit"], ["Q E", "key_turn"], ["Y J", "key_mirror"]],
  help_grey: [["gesture_grey", "key_grey"], ["W", "preset_next"], ["I", "invert"], ["R", "key_reset"]],
  help_measure: [["M", "key_lens"], ["D", "key_distance"], ["key_arrows", "key_cross"], ["key_space", "key_set"], ["⌫ Delete", "remove_last"], ["Esc", "key_stop"]],
  help_marks: [["P", "mark_point"], ["X", "mark_box"]],
  help_model: [["[ ]", "key_opacity"], ["H", "key_heatmap"], ["C", "contour"], ["B", "key_roi"], ["V", "compare"], ["L", "stability"]],
  help_page: [["?", "key_help"], ["Tab", "key_tab"]],
};

function showHelp() {
  const words = props.words;
  const known = ([, name]) => props.asks || !questions[name];
  const hidden = [state.blind && "help_model", !state.marking && "help_marks"];
  find(".keys .groups").replaceChildren(...Object.entries(HELP).filter(([title]) => !hidden.includes(title)).map(([title, lines]) => {
    const group = make("section");
    const list = make("dl");
    list.append(...lines.filter(known).flatMap(([key, text]) => [make("dt", "", words[key] ?? key), make("dd", "", words[text])]));
    group.append(make("h3", "", words[title]), list);
    return group;
  }));
}

function toggleHelp() {
  const dialog = find("dialog.keys");
  if (dialog.open) return dialog.close();
  showHelp();
  dialog.showModal();
}
