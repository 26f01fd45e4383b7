// The page of skae.plotting.projector: colours, images where the mouse is, search.
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const plot = document.getElementById("codes");
  const colour = document.getElementById("colour");
  const search = document.getElementById("search");
  const found = document.getElementById("found");
  const image = document.getElementById("image");
  const zoom = 4;

  data.colours.forEach(function (column, i) {
    colour.add(new Option(column.name, i));
  });

  function shade(n) {
    // As many hues as labels, one after the other around the circle, light and dark in turn.
    const stops = [];
    for (let i = 0; i < n; i++) {
      const tone = "hsl(" + Math.round((360 * i) / n) + ",75%," + (i % 2 ? 38 : 55) + "%)";
      stops.push([i / n, tone], [(i + 1) / n, tone]);
    }
    return stops;
  }

  function paint() {
    const column = data.colours[colour.value];
    const marker = { "marker.color": [column.values], "marker.showscale": true };
    if (column.labels) {
      const n = column.labels.length;
      marker["marker.colorscale"] = [shade(n)];
      marker["marker.cmin"] = -0.5;
      marker["marker.cmax"] = n - 0.5;
      marker["marker.colorbar"] = {
        title: { text: column.name },
        tickvals: column.labels.map((_, i) => i),
        ticktext: column.labels,
      };
    } else {
      marker["marker.colorscale"] = "Viridis";
      marker["marker.cmin"] = null;
      marker["marker.cmax"] = null;
      marker["marker.colorbar"] = { title: { text: column.name } };
    }
    Plotly.restyle(plot, marker);
  }

  function look() {
    const wanted = search.value.trim().toLowerCase();
    const hits = data.texts.map((text) => text.includes(wanted));
    // Points in three dimensions have one opacity for all, so those that are no hits are hidden.
    const n = hits.filter(Boolean).length;
    if (plot.data[0].type === "scatter3d") {
      const sizes = hits.map((hit) => (hit || !wanted ? 3 : 0));
      Plotly.restyle(plot, { "marker.size": [sizes] });
    } else {
      const shown = hits.map((hit) => (hit || !wanted ? 0.9 : 0.06));
      Plotly.restyle(plot, { "marker.opacity": [shown] });
    }
    found.textContent = wanted ? n + " of " + hits.length : "";
  }

  plot.on("plotly_hover", function (event) {
    if (!data.images) return;
    const place = event.points[0].pointNumber;
    const at = data.images;
    const left = (place % at.side) * at.width * zoom;
    const top = Math.floor(place / at.side) * at.height * zoom;
    image.style.width = at.width * zoom + "px";
    image.style.height = at.height * zoom + "px";
    image.style.backgroundImage = "url(" + at.source + ")";
    image.style.backgroundSize = at.side * at.width * zoom + "px auto";
    image.style.backgroundPosition = -left + "px " + -top + "px";
    image.style.left = event.event.clientX + 16 + "px";
    image.style.top = event.event.clientY + 16 + "px";
    image.style.display = "block";
  });
  plot.on("plotly_unhover", function () {
    image.style.display = "none";
  });
  colour.addEventListener("change", paint);
  search.addEventListener("input", look);
  paint();
})();
