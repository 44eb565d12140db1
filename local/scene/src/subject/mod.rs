//! What each subject looks like: one drawing a subject, in its own coordinates (see [`crate::brush`]).

mod balloon;
mod bird;
mod boat;
mod bridge;
mod cabin;
mod castle;
mod city;
mod flower;
mod forest;
mod island;
mod lighthouse;
mod mountain;
mod person;
mod pet;
mod planet;
mod robot;
mod rocket;
mod swimmer;
mod tree;
mod volcano;
mod waterfall;
mod windmill;

pub(crate) use lighthouse::LAMP;

use crate::brush::Brush;
use crate::chance::Chance;
use crate::vocabulary::Subject;

/// Where in the layers a subject belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Behind everything else, at the horizon.
    Backdrop,
    /// With its feet on the ground.
    Standing,
    /// In the water, or swimming.
    Floating,
    /// In the air.
    Flying,
    /// Painted by the sky.
    Celestial,
}

/// The subject's layer, and its height as a fraction of the view's unit.
pub(crate) fn stance(subject: Subject) -> (Role, f32) {
    match subject {
        Subject::Mountain | Subject::Waterfall => (Role::Backdrop, 0.50),
        Subject::Volcano => (Role::Backdrop, 0.44),
        Subject::Forest => (Role::Backdrop, 0.30),
        Subject::City => (Role::Backdrop, 0.42),
        Subject::Island => (Role::Backdrop, 0.26),
        Subject::Bridge => (Role::Backdrop, 0.40),
        Subject::Lighthouse | Subject::Palm => (Role::Standing, 0.52),
        Subject::Tree => (Role::Standing, 0.50),
        Subject::Cabin => (Role::Standing, 0.27),
        Subject::Castle | Subject::Cat | Subject::Dog | Subject::Fox => (Role::Standing, 0.44),
        Subject::Rabbit => (Role::Standing, 0.40),
        Subject::Person | Subject::Windmill | Subject::Cactus => (Role::Standing, 0.46),
        Subject::Flower => (Role::Standing, 0.62),
        Subject::Robot => (Role::Standing, 0.48),
        Subject::Rocket => (Role::Standing, 0.60),
        Subject::Boat => (Role::Floating, 0.38),
        Subject::Whale => (Role::Floating, 0.23),
        Subject::Fish => (Role::Floating, 0.22),
        Subject::Balloon => (Role::Flying, 0.36),
        Subject::Bird => (Role::Flying, 0.13),
        Subject::Planet => (Role::Flying, 0.46),
        Subject::Moon | Subject::Sun => (Role::Celestial, 0.0),
    }
}

/// Draws a subject. `under` says that it is wholly below the water's surface.
pub(crate) fn draw(subject: Subject, brush: &mut Brush<'_>, dice: &mut Chance, under: bool) {
    match subject {
        Subject::Mountain => mountain::draw(brush, dice),
        Subject::Volcano => volcano::draw(brush, dice),
        Subject::Forest => forest::draw(brush, dice),
        Subject::City => city::draw(brush, dice),
        Subject::Island => island::draw(brush, dice),
        Subject::Waterfall => waterfall::draw(brush, dice),
        Subject::Bridge => bridge::draw(brush),
        Subject::Lighthouse => lighthouse::draw(brush),
        Subject::Tree => tree::broadleaf(brush, dice),
        Subject::Palm => tree::palm(brush, dice),
        Subject::Cactus => tree::cactus(brush),
        Subject::Castle => castle::draw(brush, dice),
        Subject::Cabin => cabin::draw(brush, dice),
        Subject::Cat => pet::cat(brush, dice),
        Subject::Dog => pet::dog(brush, dice),
        Subject::Fox => pet::fox(brush),
        Subject::Rabbit => pet::rabbit(brush),
        Subject::Person => person::draw(brush, dice),
        Subject::Flower => flower::draw(brush, dice),
        Subject::Robot => robot::draw(brush),
        Subject::Rocket => rocket::draw(brush),
        Subject::Windmill => windmill::draw(brush, dice),
        Subject::Boat => boat::draw(brush, dice),
        Subject::Whale => swimmer::whale(brush, under),
        Subject::Fish => swimmer::fish(brush, dice),
        Subject::Balloon => balloon::draw(brush, dice),
        Subject::Bird => bird::draw(brush, dice),
        Subject::Planet => planet::draw(brush, dice),
        Subject::Moon | Subject::Sun => {}
    }
}
