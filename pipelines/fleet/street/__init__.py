"""The street around a camera: ground, marks, buildings, trees and everything that stands there."""
