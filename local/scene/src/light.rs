//! The light of each time of day: the sky's colours, where its body stands, how surfaces look in it.

use crate::chance::Chance;
use crate::color::Rgb;
use crate::curve::mix;
use crate::vocabulary::{Place, Time};

/// One time of day. Colours are sRGB, heights are fractions of the sky (0 at the horizon, 1 at the top).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Light {
    /// The sky from its top to the horizon.
    pub(crate) sky: [Rgb; 4],
    /// The disc of the sun or moon.
    pub(crate) disc: Rgb,
    /// What the disc spreads around it, and its strength 0..=1.
    pub(crate) glow: Rgb,
    pub(crate) glow_strength: f32,
    pub(crate) body_height: f32,
    pub(crate) moon: bool,
    /// What a surface's own colour is multiplied with, turned from and to the light.
    pub(crate) shade: Rgb,
    pub(crate) lit: Rgb,
    /// 0..=1: how many stars, and how brightly windows and lamps burn.
    pub(crate) stars: f32,
    pub(crate) lamps: f32,
}

impl Light {
    /// The light at `time`. Without a time it is some hour of the day between morning and gold, by `chance`.
    pub(crate) fn at(time: Option<Time>, place: Option<Place>, mut chance: Chance) -> Self {
        let light = if let Some(time) = time {
            Self::of(time)
        } else {
            let (from, to) = [
                (Time::Morning, Time::GoldenHour),
                (Time::Dawn, Time::Afternoon),
                (Time::Sunset, Time::GoldenHour),
                (Time::Afternoon, Time::Dawn),
            ][chance.index(4)];
            Self::of(from).towards(Self::of(to), chance.between(0.3, 0.65))
        };
        match place {
            Some(Place::Underwater) => light.under_water(),
            Some(Place::Space) => light.in_space(),
            _ => light,
        }
    }

    /// The colour of the air just above the horizon: what distance turns everything into.
    pub(crate) fn haze(&self) -> Rgb {
        self.sky[2].mix(self.sky[3], 0.55)
    }

    /// A surface of colour `base`, `facing` the light (1.0) or turned away from it (0.0).
    pub(crate) fn on(&self, base: Rgb, facing: f32) -> Rgb {
        base.times(self.shade.mix(self.lit, facing))
    }

    #[expect(clippy::too_many_lines, reason = "a table, one entry a time of day")]
    fn of(time: Time) -> Self {
        let new = |sky: [u32; 4], disc: u32, glow: u32, shade: u32, lit: u32| Self {
            sky: sky.map(Rgb::hex),
            disc: Rgb::hex(disc),
            glow: Rgb::hex(glow),
            glow_strength: 0.8,
            body_height: 0.1,
            moon: false,
            shade: Rgb::hex(shade),
            lit: Rgb::hex(lit),
            stars: 0.0,
            lamps: 0.0,
        };
        match time {
            Time::Dawn => Self {
                body_height: 0.12,
                lamps: 0.25,
                stars: 0.08,
                ..new(
                    [0x4a5d94, 0x8f86b8, 0xe8a9a6, 0xffdcb4],
                    0xfff1d6,
                    0xffc9a0,
                    0x73719b,
                    0xffd3bd,
                )
            },
            Time::Morning => Self {
                body_height: 0.42,
                glow_strength: 0.6,
                ..new(
                    [0x55a0d6, 0x93c8e6, 0xcfe6e6, 0xfff2d8],
                    0xfffbe8,
                    0xfff0c4,
                    0x8b9fbe,
                    0xfff4e0,
                )
            },
            Time::Noon => Self {
                body_height: 0.84,
                glow_strength: 0.55,
                ..new(
                    [0x2f8ad4, 0x62b5e8, 0xa9def3, 0xe9f8f6],
                    0xffffff,
                    0xf4fbff,
                    0x9db2cf,
                    0xffffff,
                )
            },
            Time::Afternoon => Self {
                body_height: 0.56,
                glow_strength: 0.6,
                ..new(
                    [0x3f8cc4, 0x7cbad6, 0xc9dfcf, 0xfbe8bb],
                    0xfffae0,
                    0xffeebc,
                    0x8a98a8,
                    0xfff0cc,
                )
            },
            Time::GoldenHour => Self {
                body_height: 0.24,
                glow_strength: 1.0,
                lamps: 0.15,
                ..new(
                    [0x77879f, 0xc9a78c, 0xf5bf70, 0xffe6a8],
                    0xfffbe0,
                    0xffd98a,
                    0x85664f,
                    0xffd48a,
                )
            },
            Time::Sunset => Self {
                body_height: 0.09,
                glow_strength: 1.0,
                lamps: 0.55,
                stars: 0.1,
                ..new(
                    [0x3a2f6b, 0x93417e, 0xee6a55, 0xffc86f],
                    0xfff0b8,
                    0xffa85e,
                    0x553a66,
                    0xff9d70,
                )
            },
            Time::Dusk => Self {
                body_height: 0.015,
                glow_strength: 0.9,
                lamps: 1.0,
                stars: 0.4,
                ..new(
                    [0x171d4b, 0x44397c, 0xb8628d, 0xffb283],
                    0xffe0a6,
                    0xff9f78,
                    0x42406f,
                    0xd68f92,
                )
            },
            Time::Twilight => Self {
                body_height: -0.05,
                glow_strength: 0.5,
                lamps: 1.0,
                stars: 0.6,
                ..new(
                    [0x0b173c, 0x1d3768, 0x4a6f9f, 0xb9bcc8],
                    0xf2e6d8,
                    0xd8b8b0,
                    0x304468,
                    0x7f94b8,
                )
            },
            Time::Night => Self {
                body_height: 0.66,
                glow_strength: 0.45,
                moon: true,
                lamps: 1.0,
                stars: 0.9,
                ..new(
                    [0x040818, 0x0a1531, 0x142848, 0x274363],
                    0xf3f1e2,
                    0x9fb8d8,
                    0x1c2740,
                    0x5b7496,
                )
            },
            Time::Midnight => Self {
                body_height: 0.8,
                glow_strength: 0.25,
                moon: true,
                lamps: 1.0,
                stars: 1.0,
                ..new(
                    [0x02030c, 0x060a1d, 0x0c1530, 0x182544],
                    0xe6e6da,
                    0x7f94b8,
                    0x151b30,
                    0x3f5272,
                )
            },
        }
    }

    fn towards(self, other: Self, t: f32) -> Self {
        let mut sky = self.sky;
        for (stop, to) in sky.iter_mut().zip(other.sky) {
            *stop = stop.mix(to, t);
        }
        Self {
            sky,
            disc: self.disc.mix(other.disc, t),
            glow: self.glow.mix(other.glow, t),
            glow_strength: mix(self.glow_strength, other.glow_strength, t),
            body_height: mix(self.body_height, other.body_height, t),
            moon: self.moon,
            shade: self.shade.mix(other.shade, t),
            lit: self.lit.mix(other.lit, t),
            stars: mix(self.stars, other.stars, t),
            lamps: mix(self.lamps, other.lamps, t),
        }
    }

    /// The same hour seen through ten metres of sea: only blue and green arrive.
    fn under_water(self) -> Self {
        let day = (self.sky[2].luma() * 0.9 + 0.15).min(1.0);
        let sea = [0x1f8fb4, 0x14749c, 0x0c5680, 0x0a416a].map(|code| {
            let tint = self.sky[3].mix(Rgb::WHITE, 0.5);
            Rgb::hex(code)
                .scale(day * 1.15)
                .mix(Rgb::hex(code).times(tint).scale(1.2), 0.5)
        });
        let through = Rgb::new(0.82, 0.94, 1.0);
        Self {
            sky: sea,
            stars: 0.0,
            shade: self.shade.times(through),
            lit: self.lit.times(through),
            ..self
        }
    }

    /// The same hour without air: a dark sky, and the hour's colours left as a nebula's.
    fn in_space(self) -> Self {
        let dark = [0x05060f, 0x090a1c, 0x0e0e28, 0x141233].map(Rgb::hex);
        let day = self.sky[2].luma();
        let mut sky = self.sky;
        for (stop, dark) in sky.iter_mut().zip(dark) {
            *stop = dark.mix(stop.saturate(1.6).scale(0.6), 0.10 + 0.16 * day);
        }
        Self {
            sky,
            stars: 1.0,
            glow_strength: self.glow_strength * 0.3,
            ..self
        }
    }
}
